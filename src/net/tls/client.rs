//! The client's side of TLS, over a stream that blocks: for what this server itself connects to.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A stream that is encrypted.
pub(crate) type ClientStream<S> = StreamOwned<ClientConnection, S>;

/// Whom to trust. A clone shares it.
#[derive(Clone)]
pub(crate) struct Client(Arc<ClientConfig>);

impl Client {
    /// Trusts whom the system trusts; or the certificates in the file that the environment variable
    /// `SSL_CERT_FILE` names, or in the directory of `SSL_CERT_DIR`, if there are such variables.
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
