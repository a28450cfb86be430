//! TLS sessions with a host, on each of its addresses.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::join_all;
use mxdoctor_model::Finding;
use mxdoctor_probes::tls::{ConnectError, HandshakeError, Session};

use super::{Clock, Endpoint, stale};
use crate::{Cx, Fact, Unavailable, tls};

/// One handshake with each address of a host. To be had as soon as one of them comes about.
///
/// Owned by `tls.handshake`; by `tls.protocol` where only old versions are spoken and by
/// `dns.resolvers_agree` where our resolver's addresses are out of date.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A handshake with one address.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Address, before overrides by address.
    pub address: SocketAddr,
    /// What came of it.
    pub result: Result<Arc<Session>, HandshakeError>,
}

impl Attempt {
    /// Whether a client would go on with it.
    pub fn accepted(&self) -> bool {
        self.result.as_ref().is_ok_and(|session| session.verification.accepted())
    }
}

/// The handshakes with a host.
#[derive(Debug, Clone)]
pub struct Handshakes {
    /// Every address that can be judged from here; at least one has a session.
    pub attempts: Vec<Attempt>,
    /// Addresses that cannot be judged from here, since this machine has no way to their family.
    pub out_of_reach: Vec<SocketAddr>,
}

impl Handshakes {
    /// The session that stands for the host: the first that a client accepts, else the first.
    pub fn session(&self) -> &Arc<Session> {
        let mut sessions = self.attempts.iter().filter_map(|attempt| attempt.result.as_ref().ok());
        let accepted = sessions.clone().find(|session| session.verification.accepted());
        accepted.or_else(|| sessions.next()).expect("there is one by the fact's own promise")
    }
}

impl Fact for Sessions {
    type Value = Handshakes;
    const OWNER: &'static str = "tls.handshake";

    async fn observe(&self, cx: &Cx) -> Result<Handshakes, Unavailable> {
        let endpoint = Endpoint::new(&self.host, self.port);
        let addresses = endpoint.addresses(cx).await?;
        let looks = addresses.into_iter().map(|address| async move {
            Attempt { address, result: cx.net().handshake(&self.host, address).await }
        });
        let attempts = join_all(looks).await;
        let ipv6 = ipv6_is_there(cx, &attempts).await;
        let (out_of_reach, attempts): (Vec<_>, Vec<_>) =
            attempts.into_iter().partition(|attempt| out_of_reach(attempt, ipv6));
        if attempts.iter().any(|attempt| attempt.result.is_ok()) {
            let out_of_reach = addresses_of(&out_of_reach);
            return Ok(Handshakes { attempts, out_of_reach });
        }
        Err(none(cx, &endpoint, &attempts, &out_of_reach).await)
    }
}

/// Whether what is known of our own side lets us judge IPv6 addresses. Asked only where one of them
/// did not answer and none did.
pub(crate) async fn ipv6_is_there(cx: &Cx, attempts: &[Attempt]) -> bool {
    let v6 = || attempts.iter().filter(|attempt| attempt.address.is_ipv6());
    if v6().next().is_none() || !v6().all(unanswered) {
        return true;
    }
    cx.fact(Ipv6).await.is_ok_and(|route| route.is_ok())
}

fn unanswered(attempt: &Attempt) -> bool {
    use ConnectError::{Ours, TimedOut, Unreachable};
    let Err(HandshakeError::Connect(error)) = &attempt.result else { return false };
    matches!(error, Ours(_) | TimedOut(_) | Unreachable(_))
}

/// Whether an attempt says nothing of the target, since this machine has no way there.
pub(crate) fn out_of_reach(attempt: &Attempt, ipv6: bool) -> bool {
    matches!(attempt.result, Err(HandshakeError::Connect(ConnectError::Ours(_))))
        || (attempt.address.is_ipv6() && !ipv6 && unanswered(attempt))
}

fn addresses_of(attempts: &[Attempt]) -> Vec<SocketAddr> {
    attempts.iter().map(|attempt| attempt.address).collect()
}

/// Why there is no session, and who is to say so.
async fn none(
    cx: &Cx,
    endpoint: &Endpoint,
    attempts: &[Attempt],
    out_of_reach: &[Attempt],
) -> Unavailable {
    let Some(telling) = tls::handshake::telling(attempts) else {
        return Unavailable::by("tls.handshake", tls::handshake::ours(endpoint, out_of_reach));
    };
    let bad = addresses_of(attempts);
    if let Some(finding) = stale(cx, endpoint, &bad).await {
        return Unavailable::by("dns.resolvers_agree", finding);
    }
    let old = match &telling.result {
        Err(HandshakeError::Connect(_) | HandshakeError::NotTls(_)) | Ok(_) => None,
        Err(_) => Some(cx.net().old_hello(&endpoint.host, telling.address).await),
    };
    let (owner, finding) = tls::handshake::judge(endpoint, telling, attempts, old.as_ref());
    Unavailable::by(owner, finding)
}

/// The session that a client would use.
///
/// Owned by `tls.chain`, `tls.name` or `tls.validity`, whichever is to blame first, where no
/// address has an acceptable certificate; by `vantage.clock` where just our clock says so.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Fact for Trusted {
    type Value = Session;
    const OWNER: &'static str = "tls.handshake";

    async fn observe(&self, cx: &Cx) -> Result<Session, Unavailable> {
        let Self { host, port } = self.clone();
        let handshakes = cx.fact(Sessions { host: host.clone(), port }).await?;
        let session = handshakes.session();
        if session.verification.accepted() {
            return Ok(Session::clone(session));
        }
        let endpoint = Endpoint::new(host, port);
        let bad = addresses_of(&handshakes.attempts);
        if let Some(finding) = stale(cx, &endpoint, &bad).await {
            return Err(Unavailable::by("dns.resolvers_agree", finding));
        }
        if let Some(finding) = tls::chain::judge(&endpoint, session, cx.vantage()) {
            return Err(Unavailable::by("tls.chain", finding));
        }
        if let Some(finding) = tls::name::judge(&endpoint, session) {
            return Err(Unavailable::by("tls.name", finding));
        }
        let offsets = cx.fact(Clock).await?;
        let now = jiff::Timestamp::now().as_second();
        match tls::validity::judge(&endpoint, session, now, &offsets) {
            tls::validity::Judged::Ours(finding) => Err(Unavailable::by("vantage.clock", finding)),
            tls::validity::Judged::Theirs(finding) => Err(Unavailable::by("tls.validity", finding)),
        }
    }
}

/// Whether this machine has a way to the IPv6 internet: a TCP connection to the DNS root server A.
/// Made only where an IPv6 address of the stack does not answer. Its value is an error with what
/// was said where there is none; it is always to be had.
#[derive(Debug, Clone)]
pub struct Ipv6;

/// `a.root-servers.net`, DNS over TCP.
const ROOT: SocketAddr =
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30)), 53);

impl Fact for Ipv6 {
    type Value = Result<String, String>;
    const OWNER: &'static str = "vantage.ipv6";

    async fn observe(&self, cx: &Cx) -> Result<Self::Value, Unavailable> {
        Ok(match cx.net().connect(ROOT).await {
            Ok(_) | Err(ConnectError::Refused) => Ok(format!("{ROOT} answers")),
            Err(error) => Err(format!("{ROOT}: {error}")),
        })
    }
}

/// Every address of some endpoints that cannot be judged from here, for a finding's note.
pub(crate) fn note_out_of_reach(finding: Finding, out_of_reach: &[SocketAddr]) -> Finding {
    if out_of_reach.is_empty() {
        return finding;
    }
    let list: Vec<_> = out_of_reach.iter().map(|address| address.ip().to_string()).collect();
    let text = format!("not judged, since this machine has no way there: {}", list.join(", "));
    finding.evidence(mxdoctor_model::EvidenceKind::Note, text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_we_cannot_judge_is_out_of_reach() {
        let attempt = |address: &str, error| Attempt {
            address: address.parse().expect("an address"),
            result: Err(HandshakeError::Connect(error)),
        };
        let silent = || ConnectError::TimedOut(Duration::from_secs(5));
        let v6 = "[2001:db8::1]:443";
        assert!(out_of_reach(&attempt(v6, silent()), false));
        assert!(!out_of_reach(&attempt(v6, silent()), true));
        assert!(!out_of_reach(&attempt(v6, ConnectError::Refused), false));
        assert!(!out_of_reach(&attempt("192.0.2.1:443", silent()), false));
        let ours = ConnectError::Ours("no such address family".into());
        assert!(out_of_reach(&attempt("192.0.2.1:443", ours), true));
    }
}
