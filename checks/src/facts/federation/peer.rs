//! Requests as another homeserver sends them.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Method, header};
use mxdoctor_model::{EvidenceKind, Finding, Vantage};
use mxdoctor_probes::http::{Exchange, Request, Response, Version};
use serde_json::Value;
use url::Url;

use super::route::{FederationRoute, Lead, Route};
use super::well_known::excerpt;
use crate::facts::{Ask, Attempt, Endpoint, Fetched, Homeserver, Page, Trusted, below, classify};
use crate::{Cx, Unavailable, federation, ingress};

/// A place where the federation API is asked for.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address, or the base URL at the vantages inside.
    pub label: String,
    base: Url,
    address: Option<IpAddr>,
    host: Option<String>,
    /// Not a host of the stack: nobody else looks at its connections and gateways.
    own: bool,
}

impl Place {
    /// GET of a path there as peers send it. For paths that hold a secret: what is asked as a fact
    /// is told in reports.
    pub(crate) fn request(&self, path: &str) -> Request {
        Request {
            address: self.address,
            host: self.host.clone(),
            version: Version::Http1,
            ..Request::get(below(&self.base, path))
        }
    }
}

/// Every place at which peers, or the services inside, ask; none broken by its certificate.
///
/// # Errors
/// Those of [`FederationRoute`], of the certificate's owners, and of the homeserver's.
pub async fn federation_places(cx: &Cx) -> Result<Vec<Place>, Unavailable> {
    if cx.vantage() != Vantage::Public {
        let base = cx.fact(Homeserver).await?.base.clone();
        let label = base.as_str().trim_end_matches('/').to_owned();
        return Ok(vec![Place { label, base, address: None, host: None, own: false }]);
    }
    let route = cx.fact(FederationRoute).await?;
    if route.in_stack {
        let Endpoint { host, port } = route.endpoint();
        cx.fact(Trusted { host, port }).await?;
    } else if !route.attempts.iter().any(Attempt::accepted) {
        return Err(match federation::tls::refusal(cx, &route).await? {
            Some(finding) => Unavailable::by("federation.tls", finding),
            None => Unavailable::by("federation.tls", Finding::error("no session is acceptable")),
        });
    }
    places(cx, &route)
}

fn places(cx: &Cx, route: &Route) -> Result<Vec<Place>, Unavailable> {
    // A record's targets are other hosts, each with its port: their addresses are asked for this
    // name.
    let by_name = !matches!(route.lead, Lead::Srv | Lead::WellKnownSrv);
    let overridden = by_name && route.endpoint().overridden(cx).is_some();
    let place = |attempt: &Attempt| {
        let address = attempt.address;
        let port = if by_name { route.port } else { address.port() };
        let base = Url::parse(&format!("https://{}:{port}/", route.to.url_host()));
        let base = base.map_err(|error| {
            let finding = Finding::error(format!("internal: no URL for {}: {error}", route.to));
            Unavailable::by("federation.resolve", finding)
        })?;
        let usual = port == route.port;
        Ok(Place {
            label: if usual { address.ip().to_string() } else { address.to_string() },
            base,
            address: (!overridden).then(|| address.ip()),
            host: Some(route.to.text.clone()),
            own: !route.in_stack,
        })
    };
    let accepted = route.attempts.iter().filter(|attempt| attempt.accepted());
    let most = if overridden { 1 } else { usize::MAX };
    accepted.take(most).map(place).collect()
}

/// GET of a path there, over HTTP/1.1 as peers do, or over the best version. `again` makes it
/// another request than the one before.
///
/// # Errors
/// Of the ingress's checks; of `federation.version` where nobody else looks at the host.
pub(crate) async fn ask_place(
    cx: &Cx,
    place: &Place,
    path: &str,
    http1: bool,
    again: bool,
) -> Result<Arc<Exchange>, Unavailable> {
    let mut ask = place.ask(Method::GET, path);
    ask.http1 = http1;
    if again {
        ask = ask.header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    send_place(cx, place, ask).await
}

impl Place {
    /// A request for a path there, over HTTP/1.1 as peers send it.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask {
        let mut ask = Ask::new(method, below(&self.base, path)).http1();
        ask.address = self.address;
        ask.host = self.host.clone();
        ask
    }
}

/// Sends a request that [`Place::ask`] began.
///
/// # Errors
/// As [`ask_place`].
pub(crate) async fn send_place(
    cx: &Cx,
    place: &Place,
    ask: Ask,
) -> Result<Arc<Exchange>, Unavailable> {
    if !place.own {
        return cx.fact(Fetched(ask)).await;
    }
    let request = Request {
        method: ask.method.clone(),
        headers: ask.headers.iter().cloned().collect(),
        body: ask.body.clone(),
        address: ask.address,
        host: ask.host.clone(),
        version: if ask.http1 { Version::Http1 } else { Version::Best },
        ..Request::get(ask.url.clone())
    };
    let own = |finding: Finding| {
        Unavailable::by("federation.version", Finding { instance: None, ..finding })
    };
    let exchange = cx.net().http(request).await.map_err(|error| {
        let summary = format!("{}: no answer from {}: {error}", ask.url, place.label);
        own(Finding::fail("no-http-answer", summary).transient())
    })?;
    let response = exchange.last();
    match (classify(response), Endpoint::of(&response.url)) {
        (Some(page), Some(endpoint)) if !matches!(page, Page::NotRouted(_)) => {
            Err(own(ingress::reachable::judge(&endpoint, cx.target(), response, &page)))
        }
        _ => Ok(Arc::new(exchange)),
    }
}

/// Whether a homeserver's federation API answers at the end of a way.
pub(super) async fn speaks(cx: &Cx, route: &Route) -> bool {
    let Some(place) = places(cx, route).ok().and_then(|places| places.into_iter().next()) else {
        return false;
    };
    let asked = ask_place(cx, &place, "/_matrix/federation/v1/version", true, false).await;
    asked.is_ok_and(|exchange| unserved(exchange.last()).is_none())
}

/// Why an answer is not that of a homeserver's federation API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unserved {
    /// A gateway has no rule for this path; which.
    NotRouted(&'static str),
    /// A homeserver does not know the path (`M_UNRECOGNIZED`).
    Unrecognised,
    /// A web page.
    Html(u16),
    /// Another status than 200.
    Status(u16),
    /// 200 with something else than a JSON object.
    NotJson,
    /// An answer that is not whole; why.
    Cut(String),
}

/// Whether an answer is a JSON object with 200, and why not.
pub(crate) fn unserved(response: &Response) -> Option<Unserved> {
    if let Some(Page::NotRouted(by)) = classify(response) {
        return Some(Unserved::NotRouted(by));
    }
    let status = response.status.as_u16();
    let json: Option<Value> = serde_json::from_slice(&response.body).ok();
    let errcode = json.as_ref().and_then(|json| json.get("errcode")?.as_str());
    if let (None, Some(cut)) = (&json, &response.cut) {
        return Some(Unserved::Cut(cut.clone()));
    }
    match (status, errcode) {
        (200, _) if json.as_ref().is_some_and(Value::is_object) => None,
        (_, Some("M_UNRECOGNIZED")) => Some(Unserved::Unrecognised),
        _ if response.body.trim_ascii_start().starts_with(b"<") => Some(Unserved::Html(status)),
        (200, _) => Some(Unserved::NotJson),
        _ => Some(Unserved::Status(status)),
    }
}

impl Unserved {
    /// The finding for it.
    pub(crate) fn finding(&self, place: &Place, response: &Response) -> Finding {
        let path = response.url.path();
        let why = match self {
            Self::NotRouted(by) => format!("{by} has no route for it"),
            Self::Unrecognised => "the homeserver does not know it".into(),
            Self::Html(status) => format!("a web page answers, with {status}"),
            Self::Status(status) => format!("it is answered with {status}"),
            Self::NotJson => "the answer is not a JSON object".into(),
            Self::Cut(cut) => return not_whole(cut, place, response),
        };
        let host = response.url.host_str().unwrap_or_default();
        let remedy = match self {
            Self::Unrecognised => format!(
                "add `federation` to the `resources` of Synapse's listener; where workers answer, \
                 see that {path} goes to one that serves it"
            ),
            _ => format!(
                "route `/_matrix` of {host} as a whole to the homeserver, `/_matrix/federation` \
                 and `/_matrix/key` included, with nothing before it that asks for a login"
            ),
        };
        Finding::fail("federation-not-served", format!("{path} is not served: {why}"))
            .expected("200 and a JSON object of the homeserver")
            .actual(format!("{} {}", response.status.as_u16(), excerpt(response)))
            .remedy(remedy)
            .evidence(EvidenceKind::Request, format!("{}: {}", place.label, response.line()))
    }
}

/// Whatever serves the path does not come to an end.
fn not_whole(cut: &str, place: &Place, response: &Response) -> Finding {
    let path = response.url.path();
    let summary = format!("the homeserver's answer about {path} is not whole: {cut}");
    Finding::fail("homeserver-broken", summary)
        .expected("200 and a JSON object of the homeserver")
        .actual(cut)
        .evidence(EvidenceKind::Request, format!("{}: {}", place.label, response.line()))
        .transient()
}
