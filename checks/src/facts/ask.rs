//! The requests that several facts and checks make, in one form so that they are made once.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use mxdoctor_probes::http::Exchange;
use url::Url;

use super::{Ask, Asked, Fetched};
use crate::{Cx, Unavailable, Verdict};

/// Redirects that browsers follow for a document; they would follow more, and nobody needs them.
const REDIRECTS: usize = 5;

/// GET of a URL, its redirects followed as a browser does; an answer of the application.
pub(crate) async fn get(cx: &Cx, url: Url) -> Result<Arc<Exchange>, Unavailable> {
    let plain = fetch(cx, Ask::get(url.clone())).await?;
    if plain.last().status.is_redirection() {
        return fetch(cx, Ask::get(url).redirects(REDIRECTS)).await;
    }
    Ok(plain)
}

/// A request, answered by the application.
pub(crate) async fn fetch(cx: &Cx, ask: Ask) -> Result<Arc<Exchange>, Unavailable> {
    cx.fact(Fetched(ask)).await
}

/// GET of a URL, no redirect followed; any answer, be it the ingress's own.
pub(crate) async fn any(cx: &Cx, url: Url) -> Result<Arc<Exchange>, Unavailable> {
    cx.fact(Asked(Ask::get(url))).await
}

/// What a check says that has no answer for one path of a host that answers others: the trouble is
/// the path's, and nobody else would report it.
///
/// # Errors
/// Trouble that is not about the path is passed on.
pub(crate) fn own(by: Unavailable) -> Verdict {
    if by.owner.starts_with("ingress.") {
        let mut finding = *by.finding;
        finding.instance = None;
        return Ok(finding.into());
    }
    Err(by)
}

/// A word that no earlier run has used: answers about it cannot come from a cache.
pub(crate) fn fresh_word() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("mxdoctor{:016x}{:016x}", random(), random())
}
