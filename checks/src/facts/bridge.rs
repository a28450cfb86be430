//! The video bridge, tested directly.

use std::time::Duration;

use mxdoctor_model::{EvidenceKind, Finding};
use mxdoctor_probes::colibri::{Direct, Health, Limits, Refusal, Session, test_bridge};
use mxdoctor_probes::http::HttpError;

use crate::{Cx, Fact, Unavailable};

/// A conference of one endpoint on the bridge, made by its private REST interface, and how far a
/// guest's packets came: UDP, ICE, DTLS. The conference is gone afterwards.
///
/// Owned by `jitsi.udp`.
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
            Ok(session) => Ok(BridgeSession { health, version, session }),
            Err(refusal) => Err(blame(no_conference(base.as_str(), &refusal, &health))),
        }
    }
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
