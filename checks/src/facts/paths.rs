//! The ways over UDP between endpoints and the bridge, however they came to know one another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mxdoctor_model::{Evidence, EvidenceKind, Outcome};
use mxdoctor_probes::colibri::{Health, Rest, Sound};
use mxdoctor_probes::conference::Guest;
use mxdoctor_probes::dns::Lookup;
use mxdoctor_probes::http::HttpError;
use mxdoctor_probes::ice::{Answer, Candidate, Pair};
use mxdoctor_probes::way::Way;

use super::{Bridge, BridgeSession, Call, Held, OutboundUdp, Resolver, describe};
use crate::{Cx, Fact, Unavailable, jitsi};

/// Unanswered checks that may be lost by chance.
const ENOUGH: u32 = 4;

/// How far the packets of each endpoint came: of both guests of a conference where it came to an
/// invitation, else of the one endpoint of the direct test.
///
/// Owned by `jitsi.udp`; by `vantage.resolver` where no UDP works for us at all.
#[derive(Debug, Clone)]
pub struct Paths;

/// The ways over UDP.
#[derive(Debug)]
pub struct UdpPaths {
    /// How the endpoints came to the bridge.
    pub route: Route,
    /// At least one.
    pub endpoints: Vec<EndpointPath>,
    /// What the bridge says of itself, where it was asked.
    pub health: Option<Result<Health, HttpError>>,
    /// Where nothing came back from any candidate: what our own name server answered over UDP.
    pub control: Option<Arc<Vec<Lookup>>>,
    /// What two endpoints of the direct test heard of each other, or why that was not tried.
    pub sound: Option<Result<Sound, String>>,
    /// What else puts it into place.
    pub notes: Vec<Evidence>,
    offered: Vec<Pair>,
}

/// How the endpoints came to the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By signalling, as a browser does.
    Conference,
    /// By the bridge's private REST interface.
    Direct,
}

/// One endpoint's way.
#[derive(Debug)]
pub struct EndpointPath {
    /// In words: `guest A`, `the endpoint`.
    pub label: String,
    /// UDP candidates that it was offered.
    pub candidates: Vec<Candidate>,
    /// Candidates that no check can be sent to from a UDP socket.
    pub unusable: usize,
    /// What came of its packets.
    pub way: Way,
    /// What the other side said to our transport, where it refused it.
    pub refused: Option<String>,
}

impl Fact for Paths {
    type Value = UdpPaths;
    const TIMEOUT: Duration = Duration::from_secs(170);
    const OWNER: &'static str = "jitsi.udp";

    async fn observe(&self, cx: &Cx) -> Result<UdpPaths, Unavailable> {
        let mut paths = match cx.fact(Call).await {
            Ok(held) if held.guests().iter().any(|guest| guest.way.is_some()) => conference(&held),
            called => match (cx.target().jvb_rest.is_some(), called) {
                (true, _) => direct(&*cx.fact(Bridge).await?),
                (false, Ok(held)) => return Err(jitsi::session::obstacle(&held)),
                (false, Err(by)) if by.finding.outcome == Outcome::Skip => {
                    // Neither way: say what would open the other one.
                    return Err(cx.fact(Bridge).await.err().unwrap_or(by));
                }
                (false, Err(by)) => return Err(by),
            },
        };
        if !paths.is_open() {
            // Silence says nothing of the bridge where no UDP works for us at all.
            if paths.offered().any(|pair| pair.sent > 0) {
                paths.control = Some(cx.fact(Resolver).await?);
                cx.fact(OutboundUdp).await?;
            }
            if let (None, Some(base)) = (&paths.health, &cx.target().jvb_rest) {
                let rest = Rest::new(cx.net().clone(), base.clone());
                paths.health = Some(rest.health().await);
            }
        }
        Ok(paths)
    }
}

/// The ways of the guests who were invited.
fn conference(held: &Held) -> UdpPaths {
    let endpoint = |guest: &Guest| {
        let transport = &guest.invitation()?.transport;
        Some(EndpointPath {
            label: format!("guest {}", guest.name),
            candidates: transport.candidates.clone(),
            unusable: transport.unusable.len() + transport.dropped,
            way: guest.way.clone()?,
            refused: None,
        })
    };
    let mut paths =
        UdpPaths::new(Route::Conference, held.guests().iter().filter_map(endpoint).collect());
    paths.notes = held.timeline();
    paths
}

fn direct(bridge: &BridgeSession) -> UdpPaths {
    let session = &bridge.session;
    let endpoint = EndpointPath {
        label: "the endpoint".into(),
        candidates: session.offer.candidates.clone(),
        unusable: session.offer.unusable.len(),
        way: session.way.clone(),
        refused: session.answered.as_ref().err().map(ToString::to_string),
    };
    let mut paths = UdpPaths::new(Route::Direct, vec![endpoint]);
    paths.health = Some(bridge.health.clone());
    paths.sound.clone_from(&session.sound);
    if let Err(refusal) = &session.expired {
        paths.notes.push(Evidence::note(format!(
            "the test's conference could not be ended ({refusal}); the bridge ends it itself after \
             a minute or two without packets"
        )));
    }
    paths
}

impl UdpPaths {
    pub(crate) fn new(route: Route, endpoints: Vec<EndpointPath>) -> Self {
        let mut offered: Vec<Pair> = Vec::new();
        for pair in endpoints.iter().flat_map(EndpointPath::offered) {
            let known = offered.iter_mut();
            match known.into_iter().find(|it| it.candidate.address == pair.candidate.address) {
                Some(known) => merge(known, pair),
                None => offered.push(pair.clone()),
            }
        }
        let (health, control, sound) = (None, None, None);
        Self { route, endpoints, health, control, sound, notes: Vec::new(), offered }
    }

    /// What the bridge says of itself where that is not "healthy".
    pub fn ailment(&self) -> Option<&Health> {
        let health = self.health.as_ref()?.as_ref().ok()?;
        (!health.status.is_success()).then_some(health)
    }

    /// What happened on each candidate that was offered, all endpoints together; without those
    /// learned during the checks.
    pub fn offered(&self) -> impl Iterator<Item = &Pair> {
        self.offered.iter()
    }

    /// Whether anything came back from any candidate.
    pub fn is_open(&self) -> bool {
        self.offered().any(Pair::is_open)
    }

    /// Endpoints to which nothing came back from any candidate, although they asked long enough,
    /// or could not ask at all: one that was cut short says nothing.
    pub fn silent(&self) -> impl Iterator<Item = &EndpointPath> {
        let asked = |endpoint: &&EndpointPath| {
            endpoint.offered().any(|pair| pair.sent > ENOUGH)
                || endpoint.offered().all(|pair| pair.unsendable.is_some())
        };
        let silent = |endpoint: &&EndpointPath| !endpoint.offered().any(is_bridges);
        self.endpoints.iter().filter(asked).filter(silent)
    }

    /// Whether ICMP says that nothing listens there.
    pub fn is_closed(&self, address: SocketAddr) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.way.closed.contains(&address))
    }

    /// The packets of every pair, and what else puts them into place.
    pub fn evidence(&self) -> Vec<Evidence> {
        let packets = |text| Evidence::new(EvidenceKind::Packets, text);
        let mut all = Vec::new();
        for endpoint in &self.endpoints {
            let whose = match self.route {
                Route::Conference => format!("{}: ", endpoint.label),
                Route::Direct => String::new(),
            };
            let pairs = endpoint.way.pairs.iter();
            all.extend(pairs.map(|pair| packets(format!("{whose}{}", line(pair)))));
            let strangers = &endpoint.way.traffic.strangers;
            all.extend(strangers.iter().map(|(address, count)| {
                let what = format!("{count} datagrams came from {address}, which was not offered");
                packets(format!("{whose}{what}"))
            }));
        }
        match &self.health {
            Some(Ok(health)) => {
                all.push(Evidence::new(EvidenceKind::Request, health.line.clone()));
            }
            Some(Err(error)) => {
                all.push(Evidence::note(format!("no answer of its health: {error}")));
            }
            None => {}
        }
        for lookup in self.control.iter().flat_map(|lookups| lookups.iter()) {
            all.push(Evidence::new(EvidenceKind::Dns, describe(lookup)));
        }
        let untried = |endpoint: &EndpointPath| endpoint.unusable + endpoint.way.dropped;
        let untried = self.endpoints.iter().map(untried).max().unwrap_or(0);
        if untried > 0 {
            let what = format!("{untried} candidates were not tried (not UDP, too many)");
            all.push(Evidence::note(what));
        }
        all.extend(self.notes.iter().cloned());
        all
    }
}

impl EndpointPath {
    /// The pairs of candidates that were offered, without those learned during the checks.
    pub fn offered(&self) -> impl Iterator<Item = &Pair> {
        let offered = |address: SocketAddr| {
            self.candidates.iter().any(|candidate| candidate.address == address)
        };
        self.way.pairs.iter().filter(move |pair| offered(pair.candidate.address))
    }
}

/// Whether something came back, and not just from somebody else than the bridge.
pub(crate) fn is_bridges(pair: &Pair) -> bool {
    pair.is_open() && (pair.valid || pair.asked > 0 || pair.last != Some(Answer::Unsigned))
}

/// Adds what happened between the same candidate and another endpoint.
fn merge(known: &mut Pair, other: &Pair) {
    known.sent += other.sent;
    known.answered += other.answered;
    known.asked += other.asked;
    known.rtt = [known.rtt, other.rtt].into_iter().flatten().min();
    known.mapped = known.mapped.or(other.mapped);
    known.valid |= other.valid;
    known.nominated |= other.nominated;
    known.strayed = known.strayed.or(other.strayed);
    if known.last.is_none() || other.last == Some(Answer::Success) {
        known.last.clone_from(&other.last);
    }
    if other.unsendable.is_none() {
        known.unsendable = None;
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
