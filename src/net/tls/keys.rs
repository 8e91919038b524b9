//! A certificate and its key, as handshakes need them.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{Error, ServerConfig};

use super::BadCertificate;

/// What a handshake needs of the server's.
pub(super) struct Keys(Arc<ServerConfig>);

impl Keys {
    pub(super) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Keys, BadCertificate> {
        let chain: Result<Vec<CertificateDer<'_>>, pem::Error> =
            CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|error| BadCertificate::Chain(error.to_string()))?;
        if chain.is_empty() {
            let why = "there is no PEM block CERTIFICATE in it".to_owned();
            return Err(BadCertificate::Chain(why));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => {
                "there is no PEM block of a key without a password in it".to_owned()
            }
            error => error.to_string(),
        });
        let key = key.map_err(BadCertificate::Key)?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder =
            builder.with_safe_default_protocol_versions().expect("ring has ciphers for all");
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.map_err(|error| match error {
            Error::InvalidCertificate(_) => BadCertificate::Chain(error.to_string()),
            Error::InconsistentKeys(_) => {
                BadCertificate::Key("it does not belong to the certificate".to_owned())
            }
            error => BadCertificate::Key(error.to_string()),
        })?;
        // Connections last: a client that came back to a session would gain nothing.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Keys(Arc::new(config)))
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0)
    }
}
