//! The client's side of TLS, which trusts what tests show.

use std::sync::Arc;

use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};

const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");

pub(crate) fn file(name: &str) -> String {
    format!("{CERTIFICATES}/{name}")
}

pub(crate) fn config() -> Arc<ClientConfig> {
    config_of(ring::default_provider(), rustls::ALL_VERSIONS)
}

/// A client that knows nothing newer than TLS 1.2.
pub(crate) fn config_of_1_2() -> Arc<ClientConfig> {
    config_of(ring::default_provider(), &[&TLS12])
}

/// A client that knows of ciphers what TLS 1.3 demands, and no other.
pub(crate) fn config_of_aes_128() -> Arc<ClientConfig> {
    let cipher_suites = vec![TLS13_AES_128_GCM_SHA256];
    config_of(CryptoProvider { cipher_suites, ..ring::default_provider() }, &[&TLS13])
}

fn config_of(
    provider: CryptoProvider,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for name in ["chat.crt", "other.crt"] {
        roots.add(CertificateDer::from_pem_file(file(name)).unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_protocol_versions(versions).unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

pub(crate) fn session(config: Arc<ClientConfig>) -> ClientConnection {
    ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap()
}
