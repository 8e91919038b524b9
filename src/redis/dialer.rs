//! How a connection to Redis begins: it is opened, perhaps encrypted, and authenticated.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::address::{Address, Place};
use super::connection::{Breaker, Connection, Failure, Stream, left};
use super::options::Options;
use crate::net::tls::client::Client;

/// How the addresses of a host are found.
type LookUp = fn(&str, u16) -> io::Result<Vec<SocketAddr>>;

/// Where to connect to, and how to begin there.
pub(super) struct Dialer {
    address: Address,
    password: Option<String>,
    /// What the connection is called at Redis, for operators.
    name: String,
    tls: Option<Client>,
    look_up: LookUp,
    /// An attempt that took longer than the call that began it could wait.
    late: Option<Attempt>,
}

/// A thread that connects. How long the look-up of a name takes, and the connect to a Unix socket,
/// only the system decides.
struct Attempt {
    tell: Sender<io::Result<Stream>>,
    told: Receiver<io::Result<Stream>>,
}

/// Tells a thread that waits for a connection.
pub(super) struct Waiting(Sender<io::Result<Stream>>);

impl Waiting {
    /// Ends the waiting.
    pub(super) fn end(&self) {
        // They may be gone.
        let _ = self.0.send(Err(ErrorKind::Interrupted.into()));
    }
}

impl Dialer {
    /// # Errors
    ///
    /// If it is to be encrypted, and the system trusts no certificates.
    pub(super) fn new(options: &Options) -> Result<Dialer, String> {
        let address = options.address.clone();
        let is_encrypted = matches!(address.place, Place::Tcp { is_encrypted: true, .. });
        let tls = if is_encrypted { Some(Client::new()?) } else { None };
        let password = options.password.clone().or_else(|| address.password.clone());
        // A name may have no spaces there.
        let name = options.node.replace(|c: char| !c.is_ascii_graphic(), "_");
        let name = format!("chinwag:{name}");
        Ok(Dialer { address, password, name, tls, look_up, late: None })
    }

    /// Connects, and says who this is. `watch` is given what ends the waiting, again each time
    /// that it is for something else.
    pub(super) fn dial(
        &mut self,
        deadline: Instant,
        watch: impl Fn(Breaker),
    ) -> Result<Connection, Failure> {
        let mut connection = Connection::over(self.connect(deadline, &watch)?);
        watch(connection.breaker()?);
        if let Some(password) = &self.password {
            let mut command = vec!["AUTH"];
            command.extend(self.address.user.as_deref());
            command.push(password);
            connection.call_text(&command, deadline)?;
        }
        if self.address.database != 0 {
            let database = self.address.database.to_string();
            connection.call_text(&["SELECT", &database], deadline)?;
        }
        // The name is only for operators, and a user of Redis may have no right to set one.
        match connection.call_text(&["CLIENT", "SETNAME", &self.name], deadline) {
            Err(Failure::Refused(why)) if why.starts_with("NOPERM") => {}
            answer => drop(answer?),
        }
        Ok(connection)
    }

    fn connect(&mut self, deadline: Instant, watch: &impl Fn(Breaker)) -> io::Result<Stream> {
        // One at a time, however long it takes.
        let attempt = match self.late.take() {
            Some(attempt) => attempt,
            None => Attempt::begin(&self.address.place, self.look_up, left(deadline)?)?,
        };
        watch(Breaker::Dial(Waiting(attempt.tell.clone())));
        let Ok(reached) = attempt.told.recv_timeout(left(deadline)?) else {
            self.late = Some(attempt);
            return Err(ErrorKind::TimedOut.into());
        };
        match (reached?, &self.address.place, &self.tls) {
            (Stream::Tcp(stream), Place::Tcp { host, .. }, Some(tls)) => {
                let encrypted = tls.encrypt(host, stream).map_err(io::Error::other)?;
                Ok(Stream::Tls(Box::new(encrypted)))
            }
            (stream, ..) => Ok(stream),
        }
    }
}

/// Without what is under way.
impl Clone for Dialer {
    fn clone(&self) -> Dialer {
        let Dialer { address, password, name, tls, look_up, late: _ } = self;
        Dialer {
            address: address.clone(),
            password: password.clone(),
            name: name.clone(),
            tls: tls.clone(),
            look_up: *look_up,
            late: None,
        }
    }
}

impl Attempt {
    /// To connect to each of the addresses may take so long.
    fn begin(place: &Place, look_up: LookUp, time: Duration) -> io::Result<Attempt> {
        let (tell, told) = mpsc::channel();
        let (place, tell_it) = (place.clone(), tell.clone());
        let reach = move || {
            // Nobody may be waiting any more.
            let _ = tell_it.send(reach(&place, look_up, time));
        };
        thread::Builder::new().name("redis-dial".to_owned()).spawn(reach)?;
        Ok(Attempt { tell, told })
    }
}

fn reach(place: &Place, look_up: LookUp, time: Duration) -> io::Result<Stream> {
    let (host, port) = match place {
        Place::Tcp { host, port, .. } => (host, *port),
        #[cfg(unix)]
        Place::Unix(path) => return UnixStream::connect(path).map(Stream::Unix),
        #[cfg(not(unix))]
        Place::Unix(_) => return Err(ErrorKind::Unsupported.into()),
    };
    let mut failed = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for addr in look_up(host, port)? {
        match TcpStream::connect_timeout(&addr, time) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(Stream::Tcp(stream));
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Condvar, Mutex};

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const SOON: Duration = Duration::from_millis(20);

    fn dialer(port: u16, look_up: LookUp) -> Dialer {
        let options = Options::new(format!("redis://name.example:{port}").parse().unwrap());
        Dialer { look_up, ..Dialer::new(&options).unwrap() }
    }

    /// As when the name server does not answer.
    fn hang(_: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        loop {
            thread::park();
        }
    }

    #[test]
    fn a_name_that_is_looked_up_for_long_is_not_waited_for_any_longer() {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let mut dialer = dialer(7, |host, port| {
            COUNT.fetch_add(1, Ordering::Relaxed);
            hang(host, port)
        });
        for _ in 0..3 {
            let failed = dialer.connect(Instant::now() + SOON, &|_| {}).err().unwrap();
            assert_eq!(failed.kind(), ErrorKind::TimedOut);
        }
        assert!(COUNT.load(Ordering::Relaxed) <= 1, "each time another thread hangs");
    }

    #[test]
    fn what_was_late_is_there_the_next_time() {
        static IS_FOUND: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut dialer = dialer(listener.local_addr().unwrap().port(), |_, port| {
            let found = IS_FOUND.0.lock().unwrap();
            drop(IS_FOUND.1.wait_while(found, |is_found| !*is_found).unwrap());
            Ok(vec![([127, 0, 0, 1], port).into()])
        });
        assert!(dialer.connect(Instant::now() + SOON, &|_| {}).is_err());
        *IS_FOUND.0.lock().unwrap() = true;
        IS_FOUND.1.notify_all();
        assert!(dialer.connect(Instant::now() + MINUTE, &|_| {}).is_ok());
    }

    #[test]
    fn whoever_waits_for_a_connection_can_be_told_to_end() {
        let (tell, told) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || {
            let watch = |breaker| tell.send(breaker).unwrap();
            let failed = dialer(7, hang).connect(Instant::now() + 60 * MINUTE, &watch).err();
            end.send(failed.unwrap().kind()).unwrap();
        });
        told.recv_timeout(MINUTE).unwrap().shut();
        assert_eq!(ended.recv_timeout(MINUTE), Ok(ErrorKind::Interrupted));
    }
}
