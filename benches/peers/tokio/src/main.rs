//! A chat as it is written on tokio: a task reads each client's lines, another writes to
//! it what comes through its channel. On one thread, as all that is measured beside it.
//!
//! Each line of any client goes to every client, its sender included. There are no names,
//! no commands and no limits. With a second argument what waits in a channel is written
//! in one go, which tutorials do not do and those who measure come to.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{self, LocalSet};

const BACKLOG: u32 = 4096;

type Line = Arc<[u8]>;

/// Everybody's channel, by the number of the connection.
type Clients = Rc<RefCell<HashMap<u64, UnboundedSender<Line>>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(1337);
    let is_buffered = std::env::args().nth(2).is_some();
    LocalSet::new().run_until(serve(port, is_buffered)).await
}

async fn serve(port: u16, is_buffered: bool) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    let listener = socket.listen(BACKLOG)?;
    let clients = Clients::default();
    for number in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        welcome(number, stream, &clients, is_buffered);
    }
    Ok(())
}

fn welcome(number: u64, stream: TcpStream, clients: &Clients, is_buffered: bool) {
    let (reader, writer) = stream.into_split();
    let (sender, receiver) = mpsc::unbounded_channel();
    clients.borrow_mut().insert(number, sender);
    if is_buffered {
        task::spawn_local(write_together(receiver, writer));
    } else {
        task::spawn_local(write(receiver, writer));
    }
    task::spawn_local(read(number, reader, Rc::clone(clients)));
}

/// Tells everybody each line, until there are no more.
async fn read(number: u64, reader: OwnedReadHalf, clients: Clients) {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while let Ok(1..) = reader.read_until(b'\n', &mut line).await {
        let said = Line::from(line.as_slice());
        for client in clients.borrow().values() {
            // Whoever has gone is noticed when reading.
            let _ = client.send(Arc::clone(&said));
        }
        line.clear();
    }
    clients.borrow_mut().remove(&number);
}

/// Writes each line that comes through the channel.
async fn write(
    mut receiver: UnboundedReceiver<Line>,
    mut writer: OwnedWriteHalf,
) -> io::Result<()> {
    while let Some(line) = receiver.recv().await {
        writer.write_all(&line).await?;
    }
    Ok(())
}

/// Writes what waits in the channel, and flushes when nothing does.
async fn write_together(
    mut receiver: UnboundedReceiver<Line>,
    writer: OwnedWriteHalf,
) -> io::Result<()> {
    let mut writer = BufWriter::new(writer);
    while let Some(line) = receiver.recv().await {
        writer.write_all(&line).await?;
        if receiver.is_empty() {
            writer.flush().await?;
        }
    }
    Ok(())
}
