//! The files that listeners for TLS need.

use std::path::PathBuf;

use chinwag::Config;
use pico_args::Arguments;

use super::set;

/// Where a certificate and its key are.
#[derive(Debug)]
pub(crate) struct TlsFiles {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// Both files, if and only if something listens for TLS.
pub(super) fn read(arguments: &mut Arguments, config: &Config) -> Result<Option<TlsFiles>, String> {
    let (mut cert, mut key) = (None, None);
    set(arguments, "--tls-cert", &mut cert, |path| Ok(Some(PathBuf::from(path))))?;
    set(arguments, "--tls-key", &mut key, |path| Ok(Some(PathBuf::from(path))))?;
    let lines = config.listen_tls.iter().map(|listen| match listen.label.as_str() {
        "native" => format!("tls={}", listen.addr),
        label => format!("{label}+tls={}", listen.addr),
    });
    let web = config.listen_web_tls.iter().map(|listen| format!("web+tls={}", listen.addr));
    let tls = lines.chain(web).next();
    let name = |path: PathBuf| path.display().to_string();
    match (cert, key, tls) {
        (None, None, None) => Ok(None),
        (Some(cert), Some(key), Some(_)) => Ok(Some(TlsFiles { cert, key })),
        (Some(cert), None, _) => {
            Err(format!("--tls-cert {}: --tls-key FILE is wanted, too", name(cert)))
        }
        (None, Some(key), _) => {
            Err(format!("--tls-key {}: --tls-cert FILE is wanted, too", name(key)))
        }
        (None, None, Some(listen)) => {
            Err(format!("--listen {listen}: --tls-cert FILE and --tls-key FILE are wanted, too"))
        }
        (Some(cert), Some(_), None) => Err(format!(
            "--tls-cert {}: --listen tls=ADDR, DIALECT+tls=ADDR or web+tls=ADDR is wanted, too",
            name(cert)
        )),
    }
}
