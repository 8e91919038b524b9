// A room as the npm package ws has one: what anybody says is sent to each.

const { WebSocketServer } = require("ws");

const port = Number(process.argv[2]);
const server = new WebSocketServer({ host: "127.0.0.1", port, backlog: 4096 });
server.on("connection", (socket) => {
  socket.on("message", (line) => {
    for (const client of server.clients) client.send(line, { binary: false });
  });
});
