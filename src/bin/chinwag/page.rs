//! The page for browsers: put together from its three files, with a policy that allows exactly
//! what is in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chinwag::Web;
use sha2::{Digest, Sha256};

const HTML: &str = include_str!("../../web/page.html");
const CSS: &str = include_str!("../../web/page.css");
const JS: &str = include_str!("../../web/page.js");

/// Puts the page, and its policy, among what is served.
pub(crate) fn add(web: &mut Web) {
    web.page = HTML
        .replace(r#"<link rel="stylesheet" href="page.css">"#, &format!("<style>{CSS}</style>"))
        .replace(r#"<script src="page.js"></script>"#, &format!("<script>{JS}</script>"));
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    web.policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(CSS),
        hash(JS)
    );
}
