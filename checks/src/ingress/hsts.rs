//! `ingress.hsts`

use futures_util::future::join_all;
use mxdoctor_model::{EvidenceKind, Finding};

use super::{paths, services, url};
use crate::facts::{Ask, Endpoint, Fetched, StackHost};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The homeserver, Element Web and Jitsi Meet send `Strict-Transport-Security` with a positive
    /// `max-age`.
    ///
    /// ## Why it matters
    /// Without it a browser that is sent to `http://` once can be kept there by whoever is between,
    /// and the session's token with it.
    ///
    /// ## What makes it fail
    /// It warns, once for all hosts, where the header is absent, cannot be read, or has
    /// `max-age=0`. The host of the server name alone is not judged, since its pages may be
    /// anybody's.
    ///
    /// ## How to fix it
    /// At Cloudflare: SSL/TLS, Edge Certificates, HTTP Strict Transport Security. At Traefik: a
    /// `Middleware` with `headers.stsSeconds: 31536000` in the routes of the hosts.
    ///
    /// ## Where it comes from
    /// RFC 6797, sections 6.1 and 8.1.
    "ingress.hsts" at P: "HSTS is present on the public hosts"
    causes ["hsts-missing"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let hosts = services(cx).await?;
    let named = hosts.iter().filter(|host| host.host.parse::<std::net::IpAddr>().is_err());
    let looks = join_all(named.map(|host| look(cx, host))).await;
    let (seen, blocked): (Vec<_>, Vec<_>) = looks.into_iter().partition(Result::is_ok);
    let seen: Vec<Seen> = seen.into_iter().flatten().collect();
    match (seen.is_empty(), blocked.into_iter().find_map(Result::err)) {
        (true, Some(by)) => Err(by),
        (true, None) => Ok(Finding::skip("no host of the stack has a name and TLS").into()),
        (false, _) => Ok(judge(&seen).into()),
    }
}

/// The header of one host.
struct Seen {
    host: String,
    header: Option<String>,
    line: String,
}

async fn look(cx: &Cx, host: &StackHost) -> Result<Seen, crate::Unavailable> {
    let path = host.roles.iter().rev().flat_map(|role| paths(*role)).next().unwrap_or(&"/");
    let exchange = cx.fact(Fetched(Ask::get(url(host, path)))).await?;
    let response = exchange.last();
    Ok(Seen {
        host: Endpoint::new(&host.host, host.port).to_string(),
        header: response.header("strict-transport-security").map(str::to_owned),
        line: response.line(),
    })
}

fn judge(seen: &[Seen]) -> Finding {
    let without: Vec<&Seen> =
        seen.iter().filter(|seen| !seen.header.as_deref().is_some_and(protects)).collect();
    let finding = if without.is_empty() {
        Finding::pass(format!("sent by {}", names(seen.iter())))
    } else {
        let list = names(without.iter().copied());
        Finding::warn("hsts-missing", format!("not sent by {list}"))
            .expected("strict-transport-security: max-age=31536000")
            .actual(
                without
                    .iter()
                    .map(|seen| {
                        format!("{}: {}", seen.host, seen.header.as_deref().unwrap_or("none"))
                    })
                    .collect::<Vec<_>>()
                    .join("; "),
            )
    };
    seen.iter().fold(finding, |finding, seen| {
        let header = seen.header.as_deref().unwrap_or("no Strict-Transport-Security");
        finding.evidence(EvidenceKind::Request, format!("{}: {header}", seen.line))
    })
}

fn names<'a>(seen: impl Iterator<Item = &'a Seen>) -> String {
    seen.map(|seen| seen.host.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether a header makes browsers keep to TLS (RFC 6797, section 6.1.1).
fn protects(header: &str) -> bool {
    header.split(';').filter_map(|directive| directive.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("max-age")
            && value.trim().trim_matches('"').parse::<u64>().is_ok_and(|seconds| seconds > 0)
    })
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    #[test]
    fn the_header_is_read_as_browsers_do() {
        assert!(protects("max-age=31536000; includeSubDomains"));
        assert!(protects("includeSubDomains; Max-Age=\"600\""));
        assert!(!protects("max-age=0"));
        assert!(!protects("max-age=soon"));
        assert!(!protects("includeSubDomains"));
    }

    #[test]
    fn one_warning_names_all_hosts() {
        let seen = |host: &str, header: Option<&str>| Seen {
            host: host.into(),
            header: header.map(str::to_owned),
            line: "GET".into(),
        };
        let good = Some("max-age=600");
        assert_eq!(judge(&[seen("a.example", good)]).outcome, Outcome::Pass);
        let some = [seen("a.example", None), seen("b.example", good), seen("c.example", None)];
        let finding = judge(&some);
        assert_eq!(finding.cause, Some("hsts-missing"));
        assert_eq!(finding.summary, "not sent by a.example, c.example");
    }
}
