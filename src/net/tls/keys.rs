//! A certificate and its key, as handshakes need them.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::{CertificateError, CipherSuite, Error, RootCertStore, ServerConfig};

use super::BadCertificate;

/// What ring signs with.
const UNKNOWN_KIND: &str =
    "it is none of RSA with 2048 to 8192 bits, ECDSA with P-256 or P-384, Ed25519";

/// What a handshake needs of the server's.
pub(super) struct Keys(Arc<ServerConfig>);

impl Keys {
    pub(super) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Keys, BadCertificate> {
        let chain: Result<Vec<CertificateDer<'_>>, pem::Error> =
            CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|error| BadCertificate::Chain(broken_pem(&error)))?;
        if chain.is_empty() {
            let why = "there is no PEM block CERTIFICATE in it".to_owned();
            return Err(BadCertificate::Chain(why));
        }
        let parsed = PrivateKeyDer::from_pem_slice(key);
        let key = parsed.map_err(|error| BadCertificate::Key(why_no_key(key, &error)))?;
        let mut provider = ring::default_provider();
        // Its handshake costs least: CPUs have instructions for its SHA-256, and not for SHA-384.
        provider
            .cipher_suites
            .sort_by_key(|it| it.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
        let builder = ServerConfig::builder_with_provider(Arc::new(provider));
        let builder =
            builder.with_safe_default_protocol_versions().expect("ring has ciphers for all");
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.map_err(|error| match error {
            Error::InvalidCertificate(_) => {
                BadCertificate::Chain("the first certificate in it makes no sense".to_owned())
            }
            Error::InconsistentKeys(_) => {
                BadCertificate::Key("it does not belong to the first certificate".to_owned())
            }
            _ => BadCertificate::Key(UNKNOWN_KIND.to_owned()),
        })?;
        // Connections last: a client that came back to a session would gain nothing.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        // For `records.rs`.
        config.enable_secret_extraction = true;
        config.ignore_client_order = true;
        Ok(Keys(Arc::new(config)))
    }

    /// What is wrong besides the dates is not asked here.
    pub(super) fn check_dates(chain: &[u8], now: Duration) -> Result<(), BadCertificate> {
        let Ok(first) = CertificateDer::from_pem_slice(chain) else { return Ok(()) };
        let Ok(first) = ParsedCertificate::try_from(&first) else { return Ok(()) };
        // Dates are looked at before it is asked who vouches for it; here nobody does.
        let roots = RootCertStore::empty();
        let kinds = ring::default_provider().signature_verification_algorithms.all;
        let now = UnixTime::since_unix_epoch(now);
        let why = match verify_server_cert_signed_by_trust_anchor(&first, &roots, &[], now, kinds) {
            Err(Error::InvalidCertificate(
                CertificateError::Expired | CertificateError::ExpiredContext { .. },
            )) => "the first certificate in it has expired",
            Err(Error::InvalidCertificate(
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
            )) => "the first certificate in it is not valid yet",
            _ => return Ok(()),
        };
        Err(BadCertificate::Chain(why.to_owned()))
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}

/// A key with a password has its own block, or the usual one with a header that says so.
fn why_no_key(pem: &[u8], error: &pem::Error) -> String {
    if pem.windows(9).any(|word| word == b"ENCRYPTED") {
        "it has a password; one without is wanted".to_owned()
    } else if let pem::Error::NoItemsFound = error {
        "there is no PEM block of a key in it".to_owned()
    } else {
        broken_pem(error)
    }
}

fn broken_pem(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a PEM block in it has no end".to_owned(),
        pem::Error::Base64Decode(_) => "a PEM block in it is no base64".to_owned(),
        error => error.to_string(),
    }
}
