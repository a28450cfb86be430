//! The certificate authorities to trust.

use std::sync::OnceLock;

use rustls::RootCertStore;

use super::NetConfig;

/// The system's where the configuration says so, and the configuration's own.
pub(super) fn trusted(config: &NetConfig) -> RootCertStore {
    let mut roots = if config.system_roots { system().clone() } else { RootCertStore::empty() };
    let (_, ignored) = roots.add_parsable_certificates(config.extra_roots.iter().cloned());
    if ignored > 0 {
        tracing::warn!(ignored, "certificate authorities that cannot be read are left out");
    }
    roots
}

/// Those of this machine, as `SSL_CERT_FILE` and `SSL_CERT_DIR` say; Mozilla's where it has none,
/// as in a bare container image. Read once: it takes tens of milliseconds.
fn system() -> &'static RootCertStore {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::debug!(%error, "reading the system's certificate authorities");
        }
        roots.add_parsable_certificates(native.certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots
    })
}
