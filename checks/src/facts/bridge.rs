//! The video bridge, tested directly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::colibri::{Direct, Health, Limits, Refusal, Session, test_bridge};
use mxdoctor_probes::dns::Lookup;
use mxdoctor_probes::http::HttpError;
use mxdoctor_probes::ice::{Answer, Pair};

use super::{Resolver, describe};
use crate::{Cx, Fact, Unavailable};

/// A conference of one endpoint on the bridge, made by its private REST interface, and how far a
/// guest's packets came: UDP, ICE, DTLS. The conference is gone afterwards.
///
/// Owned by `jitsi.udp`; by `vantage.resolver` where no UDP works for us at all.
#[derive(Debug, Clone)]
pub struct Bridge;

/// What was seen of the bridge.
#[derive(Debug)]
pub struct BridgeSession {
    /// `/about/health`.
    pub health: Result<Health, HttpError>,
    /// The release, where the bridge says.
    pub version: Option<String>,
    /// Candidates, packets, ICE and DTLS.
    pub session: Session,
    /// Where nothing came back from any candidate: what our own name server answered over UDP.
    pub control: Option<Arc<Vec<Lookup>>>,
}

impl Fact for Bridge {
    type Value = BridgeSession;
    const TIMEOUT: Duration = Duration::from_secs(40);
    const OWNER: &'static str = "jitsi.udp";

    async fn observe(&self, cx: &Cx) -> Result<BridgeSession, Unavailable> {
        let Some(base) = cx.target().jvb_rest.clone() else {
            let reason = "the bridge's private REST address is not known, and it cannot be \
                          discovered";
            let remedy = "give --jvb-rest or jitsi.jvb_rest, for instance http://jvb:8080, where \
                          that address can be reached";
            return Err(Unavailable::by(Self::OWNER, Finding::skip(reason).remedy(remedy)));
        };
        let seen = test_bridge(cx.net(), base.clone(), Limits::default()).await;
        let blame = |finding| Unavailable::by(Self::OWNER, finding);
        let Direct { health, version, session } =
            seen.map_err(|ours| blame(Finding::error(ours.to_string())))?;
        match session {
            Ok(session) => {
                let mut seen = BridgeSession { health, version, session, control: None };
                let tried = seen.offered().any(|pair| pair.sent > 0);
                if tried && !seen.offered().any(Pair::is_open) {
                    // Silence says nothing of the bridge where no UDP works for us at all.
                    seen.control = Some(cx.fact(Resolver).await?);
                }
                Ok(seen)
            }
            Err(refusal) => Err(blame(no_conference(base.as_str(), &refusal, &health))),
        }
    }
}

impl BridgeSession {
    /// What the bridge says of itself where that is not "healthy".
    pub fn ailment(&self) -> Option<&Health> {
        self.health.as_ref().ok().filter(|health| !health.status.is_success())
    }

    /// The pairs of candidates that the bridge offered, without those learned during the checks.
    pub fn offered(&self) -> impl Iterator<Item = &Pair> {
        let offered = |address: SocketAddr| {
            self.session.offer.candidates.iter().any(|candidate| candidate.address == address)
        };
        self.session.way.pairs.iter().filter(move |pair| offered(pair.candidate.address))
    }

    /// The packets of every pair, and what else puts them into place.
    pub fn evidence(&self) -> Vec<Evidence> {
        let packets = |text| Evidence::new(EvidenceKind::Packets, text);
        let mut all: Vec<Evidence> =
            self.session.way.pairs.iter().map(|pair| packets(line(pair))).collect();
        let strangers = &self.session.way.traffic.strangers;
        all.extend(strangers.iter().map(|(address, count)| {
            packets(format!("{count} datagrams came from {address}, which was not offered"))
        }));
        match &self.health {
            Ok(health) => all.push(Evidence::new(EvidenceKind::Request, health.line.clone())),
            Err(error) => all.push(Evidence::note(format!("no answer of its health: {error}"))),
        }
        for lookup in self.control.iter().flat_map(|lookups| lookups.iter()) {
            all.push(Evidence::new(EvidenceKind::Dns, describe(lookup)));
        }
        if !self.session.offer.unusable.is_empty() || self.session.way.dropped > 0 {
            let count = self.session.offer.unusable.len() + self.session.way.dropped;
            all.push(Evidence::note(format!(
                "{count} candidates were not tried (not UDP, too many)"
            )));
        }
        if let Err(refusal) = &self.session.expired {
            all.push(Evidence::note(format!(
                "the test's conference could not be ended ({refusal}); the bridge ends it itself \
                 after a minute or two without packets"
            )));
        }
        all
    }
}

/// One pair in a line: what was sent and answered, how fast, and by whom.
fn line(pair: &Pair) -> String {
    let mut text =
        format!("{}: {} checks sent, {} answered", pair.candidate, pair.sent, pair.answered);
    if let Some(rtt) = pair.rtt {
        text.push_str(&format!(", {:.1} ms", rtt.as_secs_f64() * 1e3));
    }
    match &pair.last {
        Some(Answer::Success) => text.push_str(", success"),
        Some(Answer::Unsigned) => text.push_str(", success that the bridge did not sign"),
        Some(Answer::Error(code, reason)) => text.push_str(&format!(", error {code} {reason}")),
        None => {}
    }
    if let Some(mapped) = pair.mapped {
        text.push_str(&format!(", sees us as {mapped}"));
    }
    if pair.asked > 0 {
        text.push_str(&format!(", {} checks of the bridge came", pair.asked));
    }
    if let Some((count, from)) = pair.strayed {
        text.push_str(&format!(", {count} answers came from {from} instead"));
    }
    if let Some(why) = &pair.unsendable {
        text.push_str(&format!(", cannot be sent from here: {why}"));
    }
    text
}

/// There is no conference: whose fault that is depends on what else answers.
fn no_conference(base: &str, refusal: &Refusal, health: &Result<Health, HttpError>) -> Finding {
    let finding = match refusal {
        Refusal::Off => match health {
            // `/about/health` is always there on a bridge.
            Ok(health) if health.status == 404 => Finding::error(format!(
                "{base} is not the private interface of a bridge: neither health nor conferences"
            ))
            .remedy("set jitsi.jvb_rest to the bridge's own port 8080"),
            Ok(_) => Finding::skip(
                "the bridge's conference interface is switched off (COLIBRI_REST_ENABLED)",
            )
            .remedy(
                "to test the bridge directly, set COLIBRI_REST_ENABLED=true on the jvb container",
            ),
            Err(error) => Finding::error(format!("the bridge cannot be asked: {error}")),
        },
        Refusal::Unreachable(HttpError::Ours(ours)) => Finding::error(ours.clone()),
        // The port may be private on purpose, and calls work without it.
        Refusal::Unreachable(error) => Finding::error_of(
            "bridge-api-unreachable",
            "the bridge's private REST interface does not answer",
        )
        .expected(format!("an answer from {base}"))
        .actual(error.to_string()),
        Refusal::Refused { status, reason } => {
            let ill = matches!(health, Ok(health) if !health.status.is_success());
            let summary = "the bridge refuses to make a conference";
            let finding = if ill {
                Finding::fail("bridge-unhealthy", summary)
            } else if status.is_server_error() {
                Finding::fail("bridge-refuses-conferences", summary)
            } else {
                // It may be our request that this release does not like.
                Finding::error_of("bridge-refuses-conferences", summary)
            };
            finding.expected("HTTP 200 with an endpoint").actual(format!("HTTP {status}: {reason}"))
        }
        Refusal::Garbled(why) => {
            Finding::error(format!("the bridge's offer cannot be read: {why}"))
        }
    };
    match health {
        Ok(health) => finding.evidence(
            EvidenceKind::Request,
            format!("{} {}", health.line, health.text).trim_end().to_owned(),
        ),
        Err(error) => finding.evidence(EvidenceKind::Note, format!("health: {error}")),
    }
}
