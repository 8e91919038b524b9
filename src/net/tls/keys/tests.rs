//! What is wrong with a certificate, in words.

use std::time::{Duration, SystemTime};

use crate::net::tls::Certificate;

const CHAIN: &[u8] = include_bytes!("../../../../tests/certificates/chat.crt");
const KEY: &[u8] = include_bytes!("../../../../tests/certificates/chat.key");
const OTHER: &[u8] = include_bytes!("../../../../tests/certificates/other.key");

#[test]
fn a_certificate_says_what_is_wrong_with_it() {
    let why = |chain: &[u8], key: &[u8]| Certificate::from_pem(chain, key).unwrap_err().to_string();
    assert_eq!(why(KEY, KEY), "the certificate: there is no PEM block CERTIFICATE in it");
    assert_eq!(why(CHAIN, CHAIN), "the key: there is no PEM block of a key in it");
    let has_password = "the key: it has a password; one without is wanted";
    let header = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n";
    for (kind, header) in [("ENCRYPTED PRIVATE KEY", ""), ("RSA PRIVATE KEY", header)] {
        let key = format!("-----BEGIN {kind}-----\n{header}MAA=\n-----END {kind}-----\n");
        assert_eq!(why(CHAIN, key.as_bytes()), has_password);
    }
    let unknown = b"-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n";
    assert!(why(CHAIN, unknown).starts_with("the key: it is none of RSA"));
    let cut = &CHAIN[..CHAIN.len() / 2];
    assert_eq!(why(cut, KEY), "the certificate: a PEM block in it has no end");
    assert_eq!(why(CHAIN, OTHER), "the key: it does not belong to the first certificate");
    let both = [KEY, CHAIN].concat();
    Certificate::from_pem(&both, &both).unwrap();
    let nonsense = "the certificate: the first certificate in it makes no sense";
    for (text, said) in
        [("MAA=", nonsense), ("M!A=", "the certificate: a PEM block in it is no base64")]
    {
        let broken = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        assert_eq!(why(broken.as_bytes(), KEY), said);
    }
    let [certificate, same] = [(); 2].map(|()| Certificate::from_pem(CHAIN, KEY).unwrap());
    assert!(certificate.replace(CHAIN, OTHER).is_err());
    assert_eq!(certificate, certificate.clone());
    assert_ne!(certificate, same);
    assert_eq!(format!("{certificate:?}"), "Certificate");
}

#[test]
fn a_certificate_has_its_time() {
    let why = |at| Certificate::check_dates(CHAIN, at).err().map(|error| error.to_string());
    let said = |what| Some(format!("the certificate: the first certificate in it {what}"));
    assert_eq!(why(SystemTime::now()), None);
    let centuries = Duration::from_hours(24) * 365 * 200;
    assert_eq!(why(SystemTime::now() + centuries), said("has expired"));
    assert_eq!(why(SystemTime::UNIX_EPOCH), said("is not valid yet"));
}
