//! Lines to stdout and stderr that hold nobody up: their reader may be slow, stopped, or
//! gone. (Non-blocking descriptors would not do: they are shared with the
//! shell.)

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

/// Lines that wait to be written; one more is dropped, and counted.
const WAITING_MAX: usize = 256;

/// How long the last lines may take when the program ends.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);

/// A queue of lines, and the thread that writes them.
#[derive(Clone)]
pub(crate) struct Output {
    lines: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

enum Message {
    Line(Vec<u8>),
    /// All before this has been written, or could not be.
    Done(SyncSender<()>),
}

impl Output {
    /// Starts a thread that writes lines to `target`.
    pub(crate) fn start(target: impl Write + Send + 'static) -> io::Result<Output> {
        let (lines, queue) = mpsc::sync_channel(WAITING_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&dropped);
        thread::Builder::new()
            .name("output".to_owned())
            .stack_size(64 << 10)
            .spawn(move || write_all(target, &queue, &count))?;
        Ok(Output { lines, dropped })
    }

    /// Queues a line, without its ending.
    pub(crate) fn line(&self, text: &str) {
        let line = format!("{text}\n").into_bytes();
        if self.lines.try_send(Message::Line(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all is written, but not for long.
    pub(crate) fn finish(&self, patience: Duration) {
        let (done, is_done) = mpsc::sync_channel(1);
        if self.lines.try_send(Message::Done(done)).is_ok() {
            // It times out if nobody reads.
            let _ = is_done.recv_timeout(patience);
        }
    }
}

/// Errors are ignored: the server must not end because the reader of its output is gone.
fn write_all(mut target: impl Write, queue: &Receiver<Message>, dropped: &AtomicU64) {
    for message in queue {
        match message {
            Message::Line(line) => {
                let _ = target.write_all(&line);
                let count = dropped.swap(0, Ordering::Relaxed);
                if count > 0 {
                    let notice = format!("level=warn event=lines_dropped lines={count}\n");
                    let _ = target.write_all(notice.as_bytes());
                }
                let _ = target.flush();
            }
            Message::Done(done) => {
                let _ = done.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a line only when it is let.
    struct Gate(Receiver<()>, mpsc::Sender<Vec<u8>>);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_and_what_was_dropped_is_counted() {
        let (open, gate) = mpsc::channel();
        let (written, lines) = mpsc::channel();
        let output = Output::start(Gate(gate, written)).unwrap();
        for number in 0..2 * WAITING_MAX {
            output.line(&number.to_string());
        }
        for _ in 0..4 * WAITING_MAX {
            open.send(()).unwrap();
        }
        output.finish(PATIENCE);
        drop((output, open));
        let lines: Vec<String> =
            lines.iter().map(|line| String::from_utf8(line).unwrap()).collect();
        let numbers = lines.iter().filter_map(|line| line.trim().parse::<usize>().ok());
        assert!(numbers.clone().is_sorted() && numbers.clone().count() >= WAITING_MAX);
        let dropped = 2 * WAITING_MAX - numbers.count();
        let notice = format!("event=lines_dropped lines={dropped}\n");
        assert!(lines.concat().contains(&notice), "{lines:?}");
    }
}
