//! `synapse.cors`.

use futures_util::future::join_all;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::{Exchange, Response};

use super::shared::is_unrouted;
use crate::facts::{Ask, Element, Homeserver, Located, Software, Versions, ask};
use crate::{Cx, Unavailable, Verdict, check};

check! {
    /// Web clients may use the homeserver.
    ///
    /// ## What it asserts
    /// On every class of endpoint (versions, login, sync, keys, media, an error, and with Synapse
    /// sliding sync and an unknown path) answers carry `Access-Control-Allow-Origin` exactly once, `*` or the origin asked for, and
    /// preflights (`OPTIONS`) are answered with 2xx and permit the methods and headers that clients
    /// use: GET, POST, PUT, DELETE, and `Authorization` and `Content-Type`. The client well-known
    /// is looked at by `synapse.well_known_client`.
    ///
    /// ## Why it matters
    /// Browsers refuse everything else. Element then shows "Homeserver URL does not appear to be a
    /// valid Matrix homeserver" or "Can't connect to homeserver", while `curl` sees nothing wrong.
    ///
    /// ## What makes it fail
    /// A proxy that strips the headers, answers preflights itself, or adds the headers a second
    /// time: browsers refuse two values as they refuse none.
    ///
    /// ## How to fix it
    /// Synapse sends all of them itself: remove headers middlewares (Traefik `Middleware` with
    /// `accessControlAllow…`, Cloudflare transform rules) from the homeserver's route.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Web Browser Clients"; Fetch Standard, "CORS protocol".
    "synapse.cors" at PI: "web clients may use the homeserver"
    causes ["cors-blocked", "cors-duplicated"]
    timeout 40
    attempts 2
}

/// Stands for the web client where no Element Web is known; never asked itself.
const SOME_CLIENT: &str = "https://element.invalid";

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    cx.fact(Versions).await?;
    let element = cx.fact(Element).await.ok();
    let origin = element.map_or(SOME_CLIENT.to_owned(), |e| e.base.origin().ascii_serialization());
    let is_synapse = cx.fact(Software).await.is_ok_and(|software| software.is_synapse());
    let classes: Vec<&Class> = CLASSES
        .iter()
        .filter(|class| is_synapse || ![UNKNOWN, SLIDING].contains(&class.path))
        .collect();
    let looks = classes.iter().map(|class| look(cx, &homeserver, class, &origin));
    let answers = join_all(looks).await;
    let mut looked: Vec<_> = classes.into_iter().zip(answers).collect();
    let strays =
        join_all(looked.iter().map(|(class, answer)| strays(cx, &homeserver, class, answer)));
    let mut strays = strays.await.into_iter();
    looked.retain(|_| !strays.next().unwrap_or(false));
    Ok(conclude(&looked, &origin).into())
}

/// Whether the path does not lead to the homeserver at all, by whatever method: other checks say so.
async fn strays(cx: &Cx, homeserver: &Located, class: &Class, answer: &Looked) -> bool {
    let unrouted =
        |answer: &Looked| answer.as_ref().is_ok_and(|exchange| is_unrouted(exchange.last()));
    match class.preflight.map(|method| Method::from_bytes(method.as_bytes())) {
        Some(Ok(method)) if unrouted(answer) => {
            unrouted(&ask::fetch(cx, Ask::new(method, homeserver.url(class.path))).await)
        }
        _ => false,
    }
}

/// A kind of endpoint, and how a browser comes to it.
struct Class {
    name: &'static str,
    path: &'static str,
    /// The method that a preflight announces; none for a request that needs no preflight.
    preflight: Option<&'static str>,
}

/// No homeserver knows it; others than Synapse may leave it to their web server.
const UNKNOWN: &str = "/_matrix/client/v3/mxdoctor";

/// Only asked of Synapse: elsewhere it may not be there.
const SLIDING: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

const CLASSES: &[Class] = &[
    Class { name: "versions", path: "/_matrix/client/versions", preflight: None },
    Class { name: "login", path: "/_matrix/client/v3/login", preflight: None },
    Class { name: "login, preflight", path: "/_matrix/client/v3/login", preflight: Some("POST") },
    Class { name: "sync, preflight", path: "/_matrix/client/v3/sync", preflight: Some("GET") },
    Class { name: "media, preflight", path: "/_matrix/media/v3/upload", preflight: Some("POST") },
    Class {
        name: "authenticated media, preflight",
        path: "/_matrix/client/v1/media/config",
        preflight: Some("GET"),
    },
    Class {
        name: "keys, preflight",
        path: "/_matrix/client/v3/keys/query",
        preflight: Some("POST"),
    },
    Class { name: "sliding sync, preflight", path: SLIDING, preflight: Some("POST") },
    Class {
        name: "an error for want of a token",
        path: "/_matrix/client/v3/account/whoami",
        preflight: None,
    },
    Class { name: "an unknown path", path: UNKNOWN, preflight: None },
];

type Looked = Result<std::sync::Arc<Exchange>, Unavailable>;

async fn look(cx: &Cx, homeserver: &Located, class: &Class, origin: &str) -> Looked {
    let method = if class.preflight.is_some() { Method::OPTIONS } else { Method::GET };
    let mut ask = Ask::new(method, homeserver.url(class.path));
    if let Ok(origin) = HeaderValue::from_str(origin) {
        ask = ask.header(ORIGIN, origin);
    }
    if let Some(method) = class.preflight {
        let wanted = HeaderValue::from_static("authorization,content-type");
        ask = ask
            .header(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static(method))
            .header(ACCESS_CONTROL_REQUEST_HEADERS, wanted);
    }
    ask::fetch(cx, ask).await
}

fn conclude(looked: &[(&Class, Looked)], origin: &str) -> Finding {
    let mut wrong = Vec::new();
    let mut unknown = Vec::new();
    let mut lines = Vec::new();
    for (class, answer) in looked {
        match answer {
            Ok(exchange) => {
                let answer = exchange.last();
                lines.push(Evidence::new(EvidenceKind::Request, answer.line()));
                if let Err(refusal) = judge(class, answer, origin) {
                    wrong.push((class.name, refusal));
                }
            }
            Err(by) if by.finding.outcome == Outcome::Fail => {
                wrong.push((class.name, Refusal::Blocked(by.finding.summary.clone())));
            }
            Err(by) => unknown.push(format!("{}: {}", class.name, by.finding.summary)),
        }
    }
    let Some((_, first)) = wrong.first() else {
        return match unknown.first() {
            Some(why) => {
                Finding::error(format!("not all kinds of endpoints could be asked; {why}"))
            }
            None => {
                Finding::pass(format!("{} kinds of endpoints permit web clients", looked.len()))
            }
        }
        .evidences(lines);
    };
    let all = if wrong.len() == looked.len() { "every" } else { "some" };
    let names: Vec<&str> = wrong.iter().map(|(name, _)| *name).collect();
    let finding = Finding::fail(
        first.cause(),
        format!("browsers refuse {all} answer of the homeserver: {first}"),
    );
    finding
        .expected(
            "Access-Control-Allow-Origin: *, once; preflights 200 or 204 for what clients use",
        )
        .actual(format!("{first} ({})", names.join("; ")))
        .evidences(lines)
}

/// Why a browser refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    Blocked(String),
    Duplicated(String),
}

impl Refusal {
    fn cause(&self) -> &'static str {
        match self {
            Self::Blocked(_) => "cors-blocked",
            Self::Duplicated(_) => "cors-duplicated",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Blocked(why) | Self::Duplicated(why)) = self;
        f.write_str(why)
    }
}

fn judge(class: &Class, answer: &Response, origin: &str) -> Result<(), Refusal> {
    allowed_origin(&answer.headers, Some(origin))?;
    let Some(method) = class.preflight else { return Ok(()) };
    let status = answer.status.as_u16();
    if !(200..300).contains(&status) {
        return Err(Refusal::Blocked(format!("the preflight is answered with {status}")));
    }
    let methods = listed(&answer.headers, &ACCESS_CONTROL_ALLOW_METHODS);
    // GET and POST are permitted without being named.
    let missing = ["PUT", "DELETE", method].into_iter().find(|wanted| {
        !matches!(*wanted, "GET" | "POST") && !methods.iter().any(|m| m == "*" || m == wanted)
    });
    if let Some(missing) = missing {
        return Err(Refusal::Blocked(format!("the preflight does not permit {missing}")));
    }
    // `*` does not stand for Authorization (Fetch Standard, "CORS non-wildcard request-header
    // name").
    let headers = listed(&answer.headers, &ACCESS_CONTROL_ALLOW_HEADERS);
    let has = |name: &str| headers.iter().any(|header| header.eq_ignore_ascii_case(name));
    if !has("authorization") {
        return Err(Refusal::Blocked("the preflight does not permit Authorization".into()));
    }
    if !has("content-type") && !has("*") {
        return Err(Refusal::Blocked("the preflight does not permit Content-Type".into()));
    }
    Ok(())
}

/// Whether a page of the origin may read an answer; any page where no origin is given.
pub(super) fn allowed_origin(headers: &HeaderMap, origin: Option<&str>) -> Result<(), Refusal> {
    let values: Vec<&str> = headers
        .get_all(ACCESS_CONTROL_ALLOW_ORIGIN)
        .iter()
        .map(|value| value.to_str().unwrap_or("something unreadable").trim())
        .collect();
    let credentials = headers.get(ACCESS_CONTROL_ALLOW_CREDENTIALS);
    match values.as_slice() {
        ["*"] if credentials.is_some_and(|value| value == "true") => Err(Refusal::Blocked(
            "Access-Control-Allow-Origin is `*` and credentials are permitted, which exclude each \
             other"
                .into(),
        )),
        ["*"] => Ok(()),
        [one] if Some(*one) == origin => Ok(()),
        [] => Err(Refusal::Blocked("there is no Access-Control-Allow-Origin".into())),
        [one] if !one.contains(',') => {
            Err(Refusal::Blocked(format!("Access-Control-Allow-Origin is `{one}`")))
        }
        several => Err(Refusal::Duplicated(format!(
            "Access-Control-Allow-Origin is there more than once: {}",
            several.join(", ")
        ))),
    }
}

fn listed(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|item| item.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    const RIGHT: &[(&str, &str)] = &[
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS"),
        ("access-control-allow-headers", "X-Requested-With, Content-Type, Authorization, Date"),
    ];

    fn preflight(status: u16, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
        judge(&CLASSES[2], &answer(status, headers, ""), SOME_CLIENT)
    }

    #[test]
    fn what_synapse_sends_is_right() {
        assert_eq!(preflight(204, RIGHT), Ok(()));
        assert_eq!(preflight(200, RIGHT), Ok(()));
        let plain = answer(404, &RIGHT[..1], "");
        assert_eq!(judge(&CLASSES[0], &plain, SOME_CLIENT), Ok(()));
    }

    #[test]
    fn what_browsers_refuse_is_refused() {
        let blocked = |result: Result<(), Refusal>| result.expect_err("a refusal").cause();
        assert_eq!(blocked(preflight(405, RIGHT)), "cors-blocked");
        assert_eq!(blocked(preflight(204, &RIGHT[..2])), "cors-blocked");
        assert_eq!(blocked(preflight(204, &[RIGHT[0], RIGHT[2]])), "cors-blocked");
        let star = [RIGHT[0], RIGHT[1], ("access-control-allow-headers", "*")];
        assert_eq!(blocked(preflight(204, &star)), "cors-blocked");
        let origin = |values: &[&'static str]| {
            let headers: Vec<_> =
                values.iter().map(|value| ("access-control-allow-origin", *value)).collect();
            allowed_origin(&answer(200, &headers, "").headers, Some(SOME_CLIENT))
        };
        assert_eq!(origin(&[SOME_CLIENT]), Ok(()));
        assert_eq!(blocked(origin(&[])), "cors-blocked");
        assert_eq!(blocked(origin(&["https://other.example"])), "cors-blocked");
        assert_eq!(blocked(origin(&["*", "*"])), "cors-duplicated");
        assert_eq!(blocked(origin(&["*, *"])), "cors-duplicated");
    }
}
