//! An upgrade in place: the program that is now where this one was started from takes its place,
//! in the same process, and goes on with all connections.
//!
//! First that program is asked, in a process of its own, whether it understands what it would be
//! handed; meanwhile all goes on. Only then does this one stop. Whatever fails, it goes on as if
//! nothing had happened, and says why.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use chinwag::{HandOver, Handle, Running, memory_file};

use crate::output::Output;
use crate::signals::Watch;

/// Says that the program is to check what it would be handed.
pub(crate) const CHECK: &str = "--check-state";

/// How long that check may take.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long the last lines of output may take: meanwhile nobody is served.
const FLUSH_PATIENCE: Duration = Duration::from_millis(20);

/// The most bytes of its answer that are read.
const ANSWER_MAX: u64 = 512;

/// The program that takes over, and its arguments.
#[derive(Clone)]
struct Successor {
    program: PathBuf,
    arguments: Vec<OsString>,
}

/// Asks for an upgrade, from any thread.
#[derive(Clone)]
pub(crate) struct Asker {
    wanted: Arc<AtomicBool>,
    server: Handle,
}

impl Asker {
    pub(crate) fn ask(&self) {
        self.wanted.store(true, Ordering::Release);
        self.server.interrupt();
    }
}

/// An upgrade, as far as it has come.
pub(crate) struct Upgrade {
    successor: io::Result<Successor>,
    asker: Asker,
    stage: Stage,
}

enum Stage {
    None,
    /// The successor is asked whether it understands. Its answer is here before the server is
    /// interrupted.
    Checking(Checked),
    /// It does. What is under way in other threads is waited for.
    Quiescing(Checked),
}

/// The file that was asked, and what it has answered.
#[derive(Clone)]
struct Checked {
    file: Identity,
    answer: Arc<OnceLock<Result<(), String>>>,
}

/// Tells another file, or other contents: the device and the number of the file, its mode, its
/// size, and when it was written.
#[derive(Clone, PartialEq, Eq)]
struct Identity([u64; 4], [i64; 2]);

impl Upgrade {
    pub(crate) fn new(server: Handle) -> Upgrade {
        let asker = Asker { wanted: Arc::new(AtomicBool::new(false)), server };
        Upgrade { successor: Successor::find(), asker, stage: Stage::None }
    }

    pub(crate) fn asker(&self) -> Asker {
        self.asker.clone()
    }

    /// Does the next step, if it can be done now. If it returns, no other program has taken over
    /// yet. An error says why the upgrade has failed; one that was asked for meanwhile comes next.
    pub(crate) fn step<S: HandOver, F: Fn(i32) + Clone + Send + 'static>(
        &mut self,
        running: &mut Running<S>,
        watch: &mut Watch<F>,
        outputs: [&Output; 2],
    ) -> Result<(), String> {
        let result = self.try_step(running, watch, outputs);
        if result.is_err() {
            self.asker.server.interrupt();
        }
        result
    }

    fn try_step<S: HandOver, F: Fn(i32) + Clone + Send + 'static>(
        &mut self,
        running: &mut Running<S>,
        watch: &mut Watch<F>,
        outputs: [&Output; 2],
    ) -> Result<(), String> {
        match std::mem::replace(&mut self.stage, Stage::None) {
            Stage::None if self.is_wanted(running) => {
                self.stage = Stage::Checking(self.begin_check(running.freeze())?);
            }
            Stage::Checking(checked) if checked.answer.get().is_some() => {
                checked.answer.wait().clone()?;
                self.stage = Stage::Quiescing(checked);
                return self.try_step(running, watch, outputs);
            }
            Stage::Quiescing(checked) if running.between_turns(|service, _| service.quiesce()) => {
                return Err(self.replace(&checked.file, running, watch, outputs));
            }
            stage => self.stage = stage,
        }
        Ok(())
    }

    /// Whether a signal or an operator has asked for it.
    fn is_wanted<S: HandOver>(&self, running: &mut Running<S>) -> bool {
        let by_operator = running.between_turns(|service, _| service.takes_upgrade());
        self.asker.wanted.swap(false, Ordering::AcqRel) || by_operator
    }

    /// Asks the successor, in a thread that interrupts the server once it has answered.
    fn begin_check(&self, state: Vec<u8>) -> Result<Checked, String> {
        let successor = self.successor()?.clone();
        let file = successor.identity().map_err(|error| error.to_string())?;
        let server = self.asker.server.clone();
        let answer = Arc::new(OnceLock::new());
        let place = Arc::clone(&answer);
        let check = move || {
            // Nobody else sets it.
            let _ = place.set(successor.check(&state).map_err(|error| error.to_string()));
            server.interrupt();
        };
        let thread = thread::Builder::new().name("check".to_owned()).spawn(check);
        thread.map(|_| Checked { file, answer }).map_err(|error| error.to_string())
    }

    /// Has the successor take the place of this program. Says why, if it comes back.
    fn replace<S: HandOver, F: Fn(i32) + Clone + Send + 'static>(
        &self,
        checked: &Identity,
        running: &mut Running<S>,
        watch: &mut Watch<F>,
        outputs: [&Output; 2],
    ) -> String {
        watch.stop();
        let error = if self.asker.server.is_stopping() {
            io::Error::other("it is shutting down")
        } else {
            for output in outputs {
                output.finish(FLUSH_PATIENCE);
            }
            self.exec(checked, running).unwrap_or_else(|error| error)
        };
        // It fails only if the system has no thread left; then nobody hears signals any more.
        watch.go_on().err().unwrap_or(error).to_string()
    }

    /// The last step. The file is looked at once more: it has to be the one that was checked.
    fn exec<S: HandOver>(
        &self,
        checked: &Identity,
        running: &mut Running<S>,
    ) -> io::Result<io::Error> {
        let successor = self.successor().map_err(io::Error::other)?;
        if successor.identity()? != *checked {
            return Err(successor.named(&io::Error::other("it was replaced after its check")));
        }
        Ok(successor.named(&running.hand_over_to(&mut successor.command())))
    }

    fn successor(&self) -> Result<&Successor, String> {
        self.successor.as_ref().map_err(ToString::to_string)
    }
}

impl Successor {
    /// Where this program was started from. If it was by a relative path or by name, that is
    /// looked up now: another folder may be the present one later.
    fn find() -> io::Result<Successor> {
        let mut arguments = env::args_os();
        let name = arguments.next().map(PathBuf::from).unwrap_or_default();
        let program = if name.components().count() > 1 {
            std::path::absolute(name)?
        } else {
            env::current_exe()?
        };
        Ok(Successor { program, arguments: arguments.collect() })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }

    fn identity(&self) -> io::Result<Identity> {
        let file = fs::metadata(&self.program).map_err(|error| self.named(&error))?;
        let which = [file.dev(), file.ino(), u64::from(file.mode()), file.size()];
        Ok(Identity(which, [file.mtime(), file.mtime_nsec()]))
    }

    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.program.display()))
    }

    /// Whether it understands all that it would be handed.
    fn check(&self, state: &[u8]) -> io::Result<()> {
        let mut answer = memory_file(b"")?;
        let (stdout, stderr) = (answer.try_clone()?, answer.try_clone()?);
        let mut command = self.command();
        command.arg(CHECK).stdin(memory_file(state)?);
        let child = command.stdout(stdout).stderr(stderr).spawn();
        let named = |error| self.named(&error);
        let is_good = wait(child.map_err(named)?).map_err(named)?;
        answer.rewind()?;
        let mut text = Vec::new();
        answer.take(ANSWER_MAX).read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let text = text.lines().next().unwrap_or("it says nothing");
        if is_good && text == understood(state) {
            return Ok(());
        }
        Err(self.named(&io::Error::other(text)))
    }
}

/// The answer of a program that understands the state.
pub(crate) fn understood(state: &[u8]) -> String {
    format!("{} bytes are understood", state.len())
}

/// Waits for the end of a program, but not for long. Returns whether it ended well.
fn wait(mut child: Child) -> io::Result<bool> {
    for _ in 0..PATIENCE.as_millis() / LOOK_EVERY.as_millis() {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        thread::sleep(LOOK_EVERY);
    }
    child.kill()?;
    child.wait()?;
    Err(io::Error::other(format!("it has not answered within {PATIENCE:?}")))
}
