"""A room as uWebSockets has one, by its binding for Python: all subscribe, and it publishes."""

import sys

from socketify import App, CompressOptions

app = App()
app.ws("/*", {
    "compression": CompressOptions.DISABLED,
    "open": lambda socket: socket.subscribe("room"),
    "message": lambda socket, line, opcode: app.publish("room", line, opcode),
})
app.listen({"host": "127.0.0.1", "port": int(sys.argv[1])}, lambda config: None)
app.run()
