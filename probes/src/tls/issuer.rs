//! The certificate that a chain lacks, from where the one below says that it is.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use url::Url;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::Net;
use crate::http::Request;

/// Far more than a certificate has.
const MOST_BYTES: usize = 64 * 1024;

/// How long it may take; the handshake is over by then, and what is told of it is only sharpened.
const LIMIT: Duration = Duration::from_secs(3);

impl Net {
    /// The issuer's certificate by the URL of the authority information access extension, over
    /// plain `http` as RFC 5280 section 4.2.2.1 has it; fetched once.
    pub(super) async fn fetch_issuer(&self, url: &str) -> Option<CertificateDer<'static>> {
        let net = self.clone();
        let wanted = url.to_owned();
        let fetch = || async move { net.fetch_certificate(wanted).await };
        // What failed is tried again.
        let fresh = |kept: &Option<_>, _| kept.is_some();
        self.issuers().get(url.to_owned(), fresh, fetch).await.0
    }

    /// Boxed, because requests shake hands and handshakes make this request.
    fn fetch_certificate(
        &self,
        url: String,
    ) -> BoxFuture<'static, Option<CertificateDer<'static>>> {
        let net = self.clone();
        async move {
            let url = Url::parse(&url).ok().filter(|url| url.scheme() == "http")?;
            let request = Request { limit: MOST_BYTES, ..Request::get(url) };
            let answer = tokio::time::timeout(LIMIT, net.http(request)).await.ok()?.ok()?;
            let answer = answer.last();
            if !answer.status.is_success() || answer.cut.is_some() {
                return None;
            }
            let certificate = CertificateDer::from_pem_slice(&answer.body)
                .unwrap_or_else(|_| CertificateDer::from(answer.body.to_vec()));
            X509Certificate::from_der(&certificate).is_ok().then_some(certificate)
        }
        .boxed()
    }
}
