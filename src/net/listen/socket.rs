//! What a listener listens with: a port, or a Unix socket, which is a file.

use std::io;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
#[cfg(unix)]
use std::path::{Path, PathBuf};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};

use crate::net::transport::{Origin, Socket};

/// A listening socket.
pub(crate) enum Listening {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        // Dropped first: while the socket is open, no other file can have its identity.
        file: File,
        socket: mio::net::UnixListener,
    },
}

impl Listening {
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Listening::Tcp(socket) => registry.register(socket, token, Interest::READABLE),
            #[cfg(unix)]
            Listening::Unix { socket, .. } => registry.register(socket, token, Interest::READABLE),
        }
    }

    pub(super) fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Listening::Tcp(socket) => registry.deregister(socket),
            #[cfg(unix)]
            Listening::Unix { socket, .. } => registry.deregister(socket),
        }
    }

    pub(super) fn accept(&self) -> io::Result<(Socket, Origin)> {
        match self {
            Listening::Tcp(socket) => {
                let (stream, addr) = socket.accept()?;
                Ok((Socket::Tcp(inherit(stream)), addr.into()))
            }
            #[cfg(unix)]
            Listening::Unix { socket, .. } => {
                let (stream, _) = socket.accept()?;
                Ok((Socket::Unix(stream), Origin::Unix))
            }
        }
    }

    /// Listens at a path, for its owner alone. What a server that has died left there is
    /// removed first.
    #[cfg(unix)]
    pub(super) fn bind_unix(path: &Path) -> io::Result<Listening> {
        use std::fs::{Permissions, set_permissions};
        use std::os::unix::fs::PermissionsExt;

        use socket2::{Domain, SockAddr, Type};

        remove_stale(path)?;
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let file = File::new(path)?;
        // Before it listens, so that nobody can have connected before.
        set_permissions(path, Permissions::from_mode(0o600))?;
        socket.listen(super::BACKLOG)?;
        let socket = mio::net::UnixListener::from(std::os::fd::OwnedFd::from(socket));
        Ok(Listening::Unix { file, socket })
    }

    /// Sets the path of a Unix socket that was taken over: only the configuration knows it.
    pub(super) fn at(self, path: &std::path::Path) -> Listening {
        #[cfg(unix)]
        if let Listening::Unix { mut file, socket } = self {
            path.clone_into(&mut file.path);
            return Listening::Unix { file, socket };
        }
        let _ = path;
        self
    }

    #[cfg(not(unix))]
    pub(super) fn bind_unix(_: &std::path::Path) -> io::Result<Listening> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets"))
    }
}

/// What an upgrade hands over: the socket, and which file is its own.
#[cfg(unix)]
impl Listening {
    pub(crate) fn adopt(descriptor: OwnedFd, identity: Option<(u64, u64)>) -> Listening {
        match identity {
            None => Listening::Tcp(TcpListener::from_std(descriptor.into())),
            Some(identity) => Listening::Unix {
                file: File { path: PathBuf::new(), identity },
                socket: mio::net::UnixListener::from_std(descriptor.into()),
            },
        }
    }

    pub(crate) fn identity(&self) -> Option<(u64, u64)> {
        match self {
            Listening::Tcp(_) => None,
            Listening::Unix { file, .. } => Some(file.identity),
        }
    }
}

#[cfg(unix)]
impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Listening::Tcp(socket) => socket.as_fd(),
            Listening::Unix { socket, .. } => socket.as_fd(),
        }
    }
}

/// Sets what connections inherit from their listener on Linux only.
fn inherit(stream: TcpStream) -> TcpStream {
    #[cfg(not(target_os = "linux"))]
    let _ = stream.set_nodelay(true);
    stream
}

/// The socket's file, which is removed when nobody listens any more.
#[cfg(unix)]
pub(crate) struct File {
    path: PathBuf,
    identity: (u64, u64),
}

#[cfg(unix)]
impl File {
    fn new(path: &Path) -> io::Result<File> {
        Ok(File { path: path.to_owned(), identity: identity(path)? })
    }
}

#[cfg(unix)]
impl Drop for File {
    fn drop(&mut self) {
        // Somebody may have removed it, and another server may listen there by now.
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What tells a file from another one under the same name.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let metadata = std::fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Removes a socket's file that nobody answers on, and no other file.
#[cfg(unix)]
fn remove_stale(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::net::UnixStream;

    let in_use = |why| Err(io::Error::new(io::ErrorKind::AddrInUse, why));
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return in_use("something else than a socket is there");
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => in_use("another server listens there"),
    }
}
