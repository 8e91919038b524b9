//! The files of the certificate: read at the start, when that is asked for, and when they have
//! changed.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use chinwag::{BadCertificate, Certificate};
use log::{info, warn};

use crate::cli::TlsFiles;
use crate::read_start;

/// How often the files are checked for changes. A certificate and its key are replaced one after
/// the other, so they are read only once they have stayed the same for as long again.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The longest file that is read, in bytes.
const FILE_MAX: usize = 1 << 20;

/// The certificate in force, and where it is from.
pub(crate) struct CertificateFiles {
    files: TlsFiles,
    pub(crate) certificate: Certificate,
    /// The stamps of the files as they were read at the start.
    stamps: [Option<Stamp>; 2],
}

/// What changes with a file: its length, and when it was written.
type Stamp = (u64, Option<SystemTime>);

impl CertificateFiles {
    pub(crate) fn open(files: TlsFiles) -> io::Result<CertificateFiles> {
        let stamps = stamps(&files);
        let (cert, key) = read(&files)?;
        let certificate = Certificate::from_pem(&cert, &key);
        let certificate = certificate.map_err(|error| named(&files, error))?;
        log_dates(&files, &cert);
        Ok(CertificateFiles { files, certificate, stamps })
    }

    /// Reads the files again. If anything is wrong with them, what there was stays in force.
    pub(crate) fn reload(&self) -> io::Result<()> {
        let (cert, key) = read(&self.files)?;
        let replaced = self.certificate.replace(&cert, &key);
        replaced.map_err(|error| named(&self.files, error))?;
        info!("certificate_reloaded");
        log_dates(&self.files, &cert);
        Ok(())
    }

    /// Reads the files again whenever they have changed. Does not return.
    pub(crate) fn watch(&self) {
        let (mut in_force, mut before) = (self.stamps, self.stamps);
        loop {
            thread::sleep(LOOK_EVERY);
            let now = stamps(&self.files);
            if now != in_force && now == before {
                in_force = now;
                if let Err(error) = self.reload() {
                    warn!(error:%; "certificate_not_reloaded");
                }
            }
            before = now;
        }
    }
}

fn stamps(TlsFiles { cert, key }: &TlsFiles) -> [Option<Stamp>; 2] {
    [cert, key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()))
    })
}

fn read(TlsFiles { cert, key }: &TlsFiles) -> io::Result<(Vec<u8>, Vec<u8>)> {
    Ok((read_file("--tls-cert", cert)?, read_file("--tls-key", key)?))
}

fn read_file(option: &str, path: &Path) -> io::Result<Vec<u8>> {
    let name = |error: io::Error| {
        io::Error::new(error.kind(), format!("{option} {}: {error}", path.display()))
    };
    let text = read_start(path, FILE_MAX + 1).map_err(name)?;
    if text.len() > FILE_MAX {
        let why = format!("it is too long; at most {FILE_MAX} bytes are allowed");
        return Err(name(io::Error::new(io::ErrorKind::InvalidData, why)));
    }
    Ok(text)
}

/// A certificate out of its time is shown all the same: that of this machine may be wrong, and
/// clients can ask their users.
fn log_dates(files: &TlsFiles, cert: &[u8]) {
    if let Err(error) = Certificate::check_dates(cert, SystemTime::now()) {
        let error = named(files, error);
        warn!(error:%; "certificate_not_valid");
    }
}

/// The same error, with the file that it is about.
fn named(TlsFiles { cert, key }: &TlsFiles, error: BadCertificate) -> io::Error {
    io::Error::other(match error {
        BadCertificate::Chain(why) => format!("--tls-cert {}: {why}", cert.display()),
        BadCertificate::Key(why) => format!("--tls-key {}: {why}", key.display()),
        error => error.to_string(),
    })
}
