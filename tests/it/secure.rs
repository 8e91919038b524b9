//! The client's side of TLS, which trusts what tests show.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::TLS12;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};

const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");

pub(crate) fn file(name: &str) -> String {
    format!("{CERTIFICATES}/{name}")
}

pub(crate) fn config() -> Arc<ClientConfig> {
    config_of(rustls::ALL_VERSIONS)
}

/// A client that knows nothing newer than TLS 1.2.
pub(crate) fn config_of_1_2() -> Arc<ClientConfig> {
    config_of(&[&TLS12])
}

fn config_of(versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for name in ["chat.crt", "other.crt"] {
        roots.add(CertificateDer::from_pem_file(file(name)).unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_protocol_versions(versions).unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

pub(crate) fn session(config: Arc<ClientConfig>) -> ClientConnection {
    ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap()
}
