//! The homeserver's key document, from everywhere and more than once.

use std::sync::Arc;

use futures_util::future::join_all;
use mxdoctor_model::Finding;
use mxdoctor_probes::http::Exchange;
use mxdoctor_probes::matrix::{KeyDocument, KeyDocumentError, ServerName, parse_key_document};
use url::Url;

use super::peer::{Place, ask_place, federation_places, unserved};
use crate::facts::{Ask, Fetched};
use crate::{Cx, Fact, Unavailable};

const PATH: &str = "/_matrix/key/v2/server";

/// The key document from each address, fetched at least four times in all over different
/// connections: two servers behind one name show.
///
/// Owned by `federation.keys`; by `federation.version` where the whole federation API is not
/// served, and by what is before that.
#[derive(Debug, Clone)]
pub struct ServerKeys;

/// One fetch of the key document.
#[derive(Debug, Clone)]
pub struct KeySample {
    /// Where from.
    pub place: String,
    /// The request.
    pub exchange: Arc<Exchange>,
    /// The document, or why there is none.
    pub document: Result<KeyDocument, KeyDocumentError>,
}

impl Fact for ServerKeys {
    type Value = Vec<KeySample>;
    const OWNER: &'static str = "federation.keys";
    const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

    async fn observe(&self, cx: &Cx) -> Result<Vec<KeySample>, Unavailable> {
        let places = federation_places(cx).await?;
        let rounds: &[bool] = if places.len() > 1 { &[false] } else { &[false, true] };
        let (mut samples, mut failed) = (Vec::new(), None);
        for taken in join_all(places.iter().map(|place| take(cx, place, rounds))).await {
            match taken {
                Ok(taken) => samples.extend(taken),
                Err(by) => failed = failed.or(Some(by)),
            }
        }
        match failed {
            Some(by) if samples.is_empty() => Err(by),
            _ => Ok(samples),
        }
    }
}

/// Over HTTP/1.1 and over the best version, one after the other: two connections.
async fn take(cx: &Cx, place: &Place, rounds: &[bool]) -> Result<Vec<KeySample>, Unavailable> {
    let mut samples = Vec::new();
    for again in rounds {
        for http1 in [true, false] {
            let exchange = ask_place(cx, place, PATH, http1, *again).await?;
            if let Some(why) = unserved(exchange.last()) {
                return Err(not_served(cx, place, &why.finding(place, exchange.last())).await);
            }
            let document = read_keys(&exchange);
            samples.push(KeySample { place: place.label.clone(), exchange, document });
        }
    }
    Ok(samples)
}

/// Where nothing of the federation API is served, that is for `federation.version` to say.
async fn not_served(cx: &Cx, place: &Place, finding: &Finding) -> Unavailable {
    let version = ask_place(cx, place, "/_matrix/federation/v1/version", true, false).await;
    let version = match version {
        Ok(exchange) => exchange,
        Err(by) => return by,
    };
    match unserved(version.last()) {
        Some(why) => Unavailable::by("federation.version", why.finding(place, version.last())),
        None => Unavailable::by("federation.keys", finding.clone()),
    }
}

/// The document in an answer.
pub(crate) fn read_keys(exchange: &Exchange) -> Result<KeyDocument, KeyDocumentError> {
    parse_key_document(&exchange.last().body)
}

/// The server name that the homeserver on port 443 of this name's host gives itself, if one is
/// there.
pub(crate) async fn calls_itself(cx: &Cx, name: &ServerName) -> Option<String> {
    let url = Url::parse(&format!("https://{}{PATH}", name.url_host())).ok()?;
    let exchange = cx.fact(Fetched(Ask::get(url))).await.ok()?;
    read_keys(&exchange).ok()?.server_name
}
