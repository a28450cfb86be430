//! `ingress.http2`

use mxdoctor_model::Finding;

use super::services;
use crate::facts::{Endpoint, Trusted};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The homeserver, Element Web and Jitsi Meet offer HTTP/2 by ALPN.
    ///
    /// ## Why it matters
    /// Over HTTP/1.1 a browser opens at most six connections to a host, and a waiting `/sync` holds
    /// one of them: Element in several tabs then waits for itself.
    ///
    /// ## What makes it fail
    /// It warns where the server chooses `http/1.1`, or no protocol at all, although `h2` is
    /// offered. The host of the server name alone is not judged, since only small documents are
    /// fetched there.
    ///
    /// ## How to fix it
    /// At Cloudflare: Speed, Protocol Optimization, HTTP/2. Traefik speaks HTTP/2 unless a
    /// `TLSOption` restricts `alpnProtocols`. With nginx: `http2 on;`.
    ///
    /// ## Where it comes from
    /// RFC 9113, section 3.2; RFC 7301 (ALPN); RFC 9112, section 9.4 (connections).
    "ingress.http2" at PI: "HTTP/2 is offered"
    causes ["http2-not-offered"]
    timeout 30
}

async fn run(cx: &Cx) -> Verdict {
    let endpoints = services(cx).await?.into_iter().map(|host| Endpoint::new(host.host, host.port));
    let look = |endpoint: Endpoint| async move {
        let Endpoint { host, port } = endpoint;
        let session = cx.fact(Trusted { host: host.clone(), port }).await?;
        Ok(judge(&host, session.alpn.as_deref()).into())
    };
    Ok(cx.each(endpoints, look).await)
}

fn judge(host: &str, alpn: Option<&str>) -> Finding {
    match alpn {
        Some("h2") => Finding::pass("HTTP/2"),
        other => Finding::warn("http2-not-offered", format!("{host} does not offer HTTP/2"))
            .expected("h2 by ALPN")
            .actual(other.unwrap_or("no protocol by ALPN")),
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    #[test]
    fn http2_is_known_by_alpn() {
        assert_eq!(judge("example.org", Some("h2")).outcome, Outcome::Pass);
        assert_eq!(judge("example.org", Some("http/1.1")).cause, Some("http2-not-offered"));
        assert_eq!(judge("example.org", None).outcome, Outcome::Warn);
    }
}
