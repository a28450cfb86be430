//! What a guest says in a session.

use std::net::SocketAddr;

use super::incoming::request;
use super::{Content, Initiate, Media, MediaKind, ns};
use crate::dtls::{Fingerprint, Side};
use crate::ice::{Credentials, Kind};
use crate::xmpp::Element;

/// URI of the header extension that tells how loud a packet is (RFC 6464).
const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/// Our side of a session.
#[derive(Debug, Clone)]
pub struct Local {
    /// Our full address, as bound.
    pub jid: String,
    /// Our endpoint's id: the nick in the room.
    pub endpoint: String,
    /// Our ICE user name fragment and password.
    pub credentials: Credentials,
    /// The digest of our certificate.
    pub fingerprint: Fingerprint,
    /// Who begins DTLS. The client, as browsers do.
    pub side: Side,
    /// May be empty: the bridge learns of them by the checks.
    pub candidates: Vec<LocalCandidate>,
    /// The streams that we send, in contents that were offered.
    pub sources: Vec<LocalSource>,
}

/// A candidate of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalCandidate {
    /// Where we are reached.
    pub address: SocketAddr,
    /// How it came about.
    pub kind: Kind,
    /// RFC 8445 section 5.1.2.
    pub priority: u32,
    /// Our own address behind it, for reflexive and relayed ones.
    pub related: Option<SocketAddr>,
}

/// A stream that we send; named `ENDPOINT-a0` or `ENDPOINT-v0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalSource {
    /// Audio or video.
    pub kind: MediaKind,
    /// 1 to 2^32 - 1, and nobody else's in the conference.
    pub ssrc: u32,
}

/// Why a session ends (XEP-0166 section 7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It has done what it was for.
    Success,
    /// It is not wanted.
    Decline,
    /// There is no connection.
    ConnectivityError,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Decline => "decline",
            Self::ConnectivityError => "connectivity-error",
        }
    }
}

/// Accepts an offer, every content of it. Each one has the complete transport: Jicofo reads the
/// first that it finds. Its answer with `type='result'` is what counts, and comes from the focus.
pub fn accept(id: &str, offer: &Initiate, ours: &Local) -> Element {
    let (iq, mut jingle) = request(id, &offer.from, "session-accept", &offer.sid);
    if let Some(initiator) = &offer.initiator {
        jingle = jingle.attr("initiator", initiator);
    }
    jingle = jingle.attr("responder", &ours.jid);
    let mut group = Element::new("group", ns::GROUPING).attr("semantics", "BUNDLE");
    for content in &offer.contents {
        jingle = jingle.child(accepted(offer, content, ours));
        group = group.child(Element::new("content", ns::GROUPING).attr("name", &content.name));
    }
    iq.child(jingle.child(group))
}

/// Candidates that come after the answer.
pub fn transport_info(id: &str, offer: &Initiate, ours: &Local) -> Element {
    let (iq, mut jingle) = request(id, &offer.from, "transport-info", &offer.sid);
    if let Some(first) = offer.contents.first() {
        let transport = with_candidates(bare_transport(ours), ours);
        jingle = jingle.child(content(&first.name).child(transport));
    }
    iq.child(jingle)
}

/// Ends a session, and never asks for another one. Without its bridge session's id Jicofo takes
/// it for one of long ago.
pub fn terminate(id: &str, offer: &Initiate, reason: Reason) -> Element {
    let (iq, jingle) = request(id, &offer.from, "session-terminate", &offer.sid);
    let jingle = jingle.child(because(reason));
    iq.child(match &offer.bridge_session {
        Some(session) => {
            let element = Element::new("bridge-session", ns::FOCUS).attr("id", &session.id);
            jingle.child(element.attr("restart", "false"))
        }
        None => jingle,
    })
}

/// Declines the offer of another participant (a direct session). None for what has no session.
pub fn decline(id: &str, iq: &Element) -> Option<Element> {
    let sid = iq.get("jingle", ns::JINGLE)?.get_attr("sid")?;
    let (answer, jingle) = request(id, iq.get_attr("from")?, "session-terminate", sid);
    Some(answer.child(jingle.child(because(Reason::Decline))))
}

/// Tells the focus that ICE failed: it invites once more, and counts it against the bridge. Not
/// for ordinary runs.
pub fn ice_failed(id: &str, offer: &Initiate) -> Element {
    let (iq, jingle) = request(id, &offer.from, "session-info", &offer.sid);
    let jingle = jingle.child(Element::new("ice-state", ns::FOCUS).text("failed"));
    iq.child(match &offer.bridge_session {
        Some(session) => {
            jingle.child(Element::new("bridge-session", ns::FOCUS).attr("id", &session.id))
        }
        None => jingle,
    })
}

fn because(reason: Reason) -> Element {
    Element::new("reason", ns::JINGLE).child(Element::new(reason.as_str(), ns::JINGLE))
}

fn content(name: &str) -> Element {
    Element::new("content", ns::JINGLE)
        .attr("creator", "initiator")
        .attr("name", name)
        .attr("senders", "both")
}

fn accepted(offer: &Initiate, offered: &Content, ours: &Local) -> Element {
    let mut element = content(&offered.name);
    let media = match offered.kind() {
        Some(MediaKind::Audio) => offer.audio.as_ref(),
        Some(MediaKind::Video) => offer.video.as_ref(),
        None => None,
    };
    if let Some((kind, media)) = offered.kind().zip(media) {
        element = element.child(description(kind, media, ours));
    }
    let mut transport = bare_transport(ours).child(Element::new("rtcp-mux", ns::ICE_UDP));
    let setup = match ours.side {
        Side::Client => "active",
        Side::Server => "passive",
    };
    let fingerprint = Element::new("fingerprint", ns::DTLS)
        .attr("hash", &ours.fingerprint.hash)
        .attr("setup", setup)
        .text(&ours.fingerprint.value);
    transport = transport.child(fingerprint);
    if let Some(port) = offer.transport.sctp_port.filter(|_| offered.data) {
        let map = Element::new("sctpmap", ns::SCTP)
            .attr("number", port.to_string())
            .attr("protocol", "webrtc-datachannel")
            .attr("streams", "1024");
        transport = transport.child(map);
    }
    element.child(with_candidates(transport, ours))
}

/// Opus or VP8 where it is offered, else all there is: what we send is never decoded.
fn description(kind: MediaKind, media: &Media, ours: &Local) -> Element {
    let mut element = Element::new("description", ns::RTP).attr("media", kind.as_str());
    let wanted = match kind {
        MediaKind::Audio => "opus",
        MediaKind::Video => "VP8",
    };
    let all = media.payload_types.iter();
    let taken: Vec<_> = match media.payload_type(wanted) {
        Some(payload) => vec![payload],
        None => all.filter(|payload| !payload.name.eq_ignore_ascii_case("rtx")).collect(),
    };
    for payload in taken {
        element = element.child(payload.element());
    }
    if let Some(id) = media.extension(AUDIO_LEVEL) {
        let extension = Element::new("rtp-hdrext", ns::HEADER_EXTENSION);
        element = element.child(extension.attr("id", id.to_string()).attr("uri", AUDIO_LEVEL));
    }
    for source in ours.sources.iter().filter(|source| source.kind == kind) {
        element = element.child(source_element(*source, &ours.endpoint));
    }
    element.child(Element::new("rtcp-mux", ns::RTP))
}

fn source_element(source: LocalSource, endpoint: &str) -> Element {
    let kind = source.kind.as_str();
    let msid = format!("{endpoint}-{kind}-0 {endpoint}-{kind}-0-t");
    let msid = Element::new("parameter", ns::SSMA).attr("name", "msid").attr("value", msid);
    Element::new("source", ns::SSMA)
        .attr("ssrc", source.ssrc.to_string())
        .attr("name", format!("{endpoint}-{}0", &kind[..1]))
        .child(msid)
}

fn bare_transport(ours: &Local) -> Element {
    Element::new("transport", ns::ICE_UDP)
        .attr("ufrag", &ours.credentials.ufrag)
        .attr("pwd", &ours.credentials.pwd)
}

fn with_candidates(mut transport: Element, ours: &Local) -> Element {
    for (number, candidate) in (1..).zip(&ours.candidates) {
        transport = transport.child(candidate_element(number, candidate));
    }
    transport
}

fn candidate_element(number: usize, candidate: &LocalCandidate) -> Element {
    let element = Element::new("candidate", ns::ICE_UDP)
        .attr("component", "1")
        .attr("foundation", number.to_string())
        .attr("generation", "0")
        .attr("id", format!("c{number}"))
        .attr("network", "0")
        .attr("ip", candidate.address.ip().to_string())
        .attr("port", candidate.address.port().to_string())
        .attr("priority", candidate.priority.to_string())
        .attr("protocol", "udp")
        .attr("type", candidate.kind.as_str());
    match candidate.related {
        Some(related) => element
            .attr("rel-addr", related.ip().to_string())
            .attr("rel-port", related.port().to_string()),
        None => element,
    }
}
