//! The client's side of TLS, over a stream that blocks: for what this server itself connects to.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, RootCertStore,
    StreamOwned,
};

/// A stream that is encrypted.
pub(crate) type ClientStream<S> = StreamOwned<ClientConnection, S>;

/// Whom to trust. A clone shares it.
#[derive(Clone)]
pub(crate) struct Client(Arc<ClientConfig>);

impl Client {
    /// Trusts the certificates that the system trusts. If there are such environment variables, it
    /// trusts those in the file `SSL_CERT_FILE` or the directory `SSL_CERT_DIR` instead.
    ///
    /// # Errors
    ///
    /// If there is no such certificate.
    pub(crate) fn new() -> Result<Client, String> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Some systems have some that are broken; what counts is whether any is good.
        let (good, _) = roots.add_parsable_certificates(found.certs);
        if good == 0 {
            let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
            return Err(format!("there is no certificate to trust{why}"));
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder =
            builder.with_safe_default_protocol_versions().expect("ring has ciphers for all");
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        Ok(Client(Arc::new(config)))
    }

    /// Encrypts a stream to a host of this name. The handshake comes with the first bytes.
    ///
    /// # Errors
    ///
    /// If no certificate can have this name.
    pub(crate) fn encrypt<S: Read + Write>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<ClientStream<S>, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
        let session = ClientConnection::new(Arc::clone(&self.0), name);
        Ok(StreamOwned::new(session.map_err(|error| error.to_string())?, stream))
    }
}

/// Why a stream that is encrypted has failed, if TLS is the reason.
pub(crate) fn explain(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(error) => why_no_certificate(error),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "it wants a certificate of its client's, and there is none: tls-auth-clients no"
                .to_owned()
        }
        Error::InvalidMessage(_) => "it does not speak TLS; redis:// is without".to_owned(),
        error => format!("TLS: {error}"),
    })
}

fn why_no_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "nobody whom this system trusts vouches for its \
            certificate; SSL_CERT_FILE may name a file of others to trust"
            .to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            format!("its certificate is for {names}, not for {}", expected.to_str())
        }
        CertificateError::ExpiredContext { time, not_after } => {
            format!("its certificate expired {} ago", between(*not_after, *time))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("its certificate is not valid for another {}", between(*time, *not_before))
        }
        CertificateError::Other(why) if why.to_string() == "CaUsedAsEndEntity" => {
            "its certificate is an authority's (CA:TRUE), and no server's".to_owned()
        }
        error => format!("its certificate is of no use: {error}"),
    }
}

/// How much later the second is.
fn between(earlier: UnixTime, later: UnixTime) -> String {
    match later.as_secs().saturating_sub(earlier.as_secs()) / 3600 {
        hours @ 0..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

/// A name without its kind: rustls has `DnsName("host.example")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::InvalidMessage;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_words() {
        let told = |error: Error| explain(&io::Error::other(error)).unwrap();
        let of = |error: CertificateError| told(error.into());
        let at = |hours: u64| UnixTime::since_unix_epoch(Duration::from_hours(hours));
        assert_eq!(
            of(CertificateError::UnknownIssuer),
            "nobody whom this system trusts vouches for its certificate; SSL_CERT_FILE may name \
             a file of others to trust"
        );
        let names = |presented: &[&str]| {
            let presented = presented.iter().map(|name| (*name).to_owned()).collect();
            let expected = ServerName::try_from("redis.example").unwrap();
            of(CertificateError::NotValidForNameContext { expected, presented })
        };
        assert_eq!(
            names(&["DnsName(\"a.example\")", "IpAddress(192.0.2.1)"]),
            "its certificate is for a.example, 192.0.2.1, not for redis.example"
        );
        assert_eq!(names(&[]), "its certificate is for no name, not for redis.example");
        assert_eq!(
            of(CertificateError::ExpiredContext { time: at(50), not_after: at(20) }),
            "its certificate expired 30 hours ago"
        );
        assert_eq!(
            of(CertificateError::NotValidYetContext { time: at(20), not_before: at(68) }),
            "its certificate is not valid for another 2 days"
        );
        assert_eq!(of(CertificateError::Revoked), "its certificate is of no use: Revoked");
        assert_eq!(
            told(Error::AlertReceived(AlertDescription::CertificateRequired)),
            "it wants a certificate of its client's, and there is none: tls-auth-clients no"
        );
        assert_eq!(
            told(InvalidMessage::InvalidContentType.into()),
            "it does not speak TLS; redis:// is without"
        );
        assert_eq!(told(Error::DecryptError), "TLS: cannot decrypt peer's message");
        assert_eq!(explain(&io::ErrorKind::UnexpectedEof.into()), None);
    }
}
