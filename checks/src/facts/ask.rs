//! The requests that several facts and checks make, in one form so that they are made once.

use std::sync::Arc;

use mxdoctor_model::Finding;
use mxdoctor_probes::http::{Exchange, Request};
use url::Url;

use crate::{Cx, Unavailable};

/// GET of a URL, its redirects followed as a browser does.
pub(crate) async fn get(cx: &Cx, url: Url) -> Result<Arc<Exchange>, Unavailable> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let request = Request { redirects: 5, ..Request::get(url) };
    cx.net().http(request).await.map(Arc::new).map_err(|error| {
        Unavailable::by("ingress.reachable", Finding::error(error.to_string()).on(host))
    })
}
