//! What a `transport` element says.

use url::Url;

use super::{JingleError, ns};
use crate::dtls::Fingerprint;
use crate::ice::{Candidate, Credentials};
use crate::xmpp::Element;

/// Candidates, fingerprints and addresses of the bridge channel that are kept at most, each.
const MAX_ITEMS: usize = 256;

/// Characters of an unusable item that are kept.
const MAX_TEXT: usize = 200;

/// Characters of a user name fragment or password (RFC 8445 section 5.3).
const MAX_CREDENTIAL: usize = 256;

/// Who sends the first hello of DTLS (RFC 8122 section 6, XEP-0320).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// The sender of the element.
    Active,
    /// The reader.
    Passive,
    /// The reader chooses.
    ActPass,
}

impl Setup {
    /// `active`, `passive` or `actpass`; a missing role leaves the choice.
    fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            Some("active") => Some(Self::Active),
            Some("passive") => Some(Self::Passive),
            Some("actpass") | None => Some(Self::ActPass),
            Some(_) => None,
        }
    }

    /// As signalled.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::ActPass => "actpass",
        }
    }
}

/// What one or several `transport` elements say, put together.
#[derive(Debug, Clone, Default)]
pub struct Transport {
    /// ICE user name fragment and password.
    pub credentials: Option<Credentials>,
    /// Digests of the other side's certificate, each with its role.
    pub fingerprints: Vec<(Fingerprint, Setup)>,
    /// UDP candidates of component 1, each once.
    pub candidates: Vec<Candidate>,
    /// What no check can be sent to (TCP, host names) and what cannot be read, as text.
    pub unusable: Vec<String>,
    /// Items beyond 256 of a kind, not kept.
    pub dropped: usize,
    /// Addresses of the bridge channel as a WebSocket; with its password.
    pub web_sockets: Vec<Url>,
    /// Addresses of the bridge channel that are none, as text.
    pub unusable_web_sockets: Vec<String>,
    /// The SCTP port of the bridge channel as a data channel.
    pub sctp_port: Option<u16>,
    /// Whether RTP and RTCP share the transport.
    pub rtcp_mux: bool,
}

impl Transport {
    /// Takes in a `transport` element. One with other credentials than those known is another
    /// transport (no bundle), and only told of.
    pub(super) fn add(&mut self, element: &Element) -> Result<(), JingleError> {
        if let Some(theirs) = credentials(element)? {
            match &self.credentials {
                Some(ours) if *ours != theirs => {
                    self.note(format!("a transport of its own, with the ufrag {}", theirs.ufrag));
                    return Ok(());
                }
                Some(_) => {}
                None => self.credentials = Some(theirs),
            }
        }
        for child in element.elements() {
            self.child(child);
        }
        Ok(())
    }

    fn child(&mut self, child: &Element) {
        match (child.name.as_str(), child.ns.as_str()) {
            ("candidate", ns::ICE_UDP) => self.candidate(child),
            ("fingerprint", ns::DTLS) => self.fingerprint(child),
            ("web-socket", ns::COLIBRI) => self.web_socket(child),
            ("sctpmap", ns::SCTP) => {
                let port = child.get_attr("number").and_then(|number| number.trim().parse().ok());
                self.sctp_port = self.sctp_port.or(port);
            }
            ("rtcp-mux", _) => self.rtcp_mux = true,
            _ => {}
        }
    }

    fn candidate(&mut self, child: &Element) {
        match Candidate::signalled(|name| child.get_attr(name).map(str::to_owned)) {
            Some(candidate) if self.candidates.contains(&candidate) => {}
            Some(candidate) if self.candidates.len() < MAX_ITEMS => self.candidates.push(candidate),
            Some(_) => self.dropped += 1,
            None => self.note(describe(child)),
        }
    }

    fn fingerprint(&mut self, child: &Element) {
        let hash = child.get_attr("hash").unwrap_or_default();
        let setup = Setup::parse(child.get_attr("setup"));
        match (Fingerprint::signalled(hash, &child.get_text()), setup) {
            (Some(fingerprint), Some(setup)) => {
                let item = (fingerprint, setup);
                if self.fingerprints.contains(&item) {
                } else if self.fingerprints.len() < MAX_ITEMS {
                    self.fingerprints.push(item);
                } else {
                    self.dropped += 1;
                }
            }
            _ => self.note(short(&child.to_string())),
        }
    }

    fn web_socket(&mut self, child: &Element) {
        let text = child.get_attr("url").unwrap_or_default();
        let full = self.web_sockets.len() + self.unusable_web_sockets.len() >= MAX_ITEMS;
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "ws" | "wss") => {
                if self.web_sockets.contains(&url) {
                } else if full {
                    self.dropped += 1;
                } else {
                    self.web_sockets.push(url);
                }
            }
            _ if full => self.dropped += 1,
            _ => {
                let text = short(text);
                if !self.unusable_web_sockets.contains(&text) {
                    self.unusable_web_sockets.push(text);
                }
            }
        }
    }

    fn note(&mut self, text: String) {
        if self.unusable.contains(&text) {
        } else if self.unusable.len() < MAX_ITEMS {
            self.unusable.push(text);
        } else {
            self.dropped += 1;
        }
    }
}

fn credentials(element: &Element) -> Result<Option<Credentials>, JingleError> {
    let (ufrag, pwd) = (element.get_attr("ufrag"), element.get_attr("pwd"));
    let sane = |text: &str| (1..=MAX_CREDENTIAL).contains(&text.len());
    match (ufrag, pwd) {
        (None, None) => Ok(None),
        (Some(ufrag), Some(pwd)) if sane(ufrag) && sane(pwd) => {
            Ok(Some(Credentials { ufrag: ufrag.into(), pwd: pwd.into() }))
        }
        _ => Err(JingleError::Credentials),
    }
}

/// `udp host 198.51.100.2 port 10000`: what there is of a candidate.
fn describe(candidate: &Element) -> String {
    let field = |name| candidate.get_attr(name).filter(|text| !text.is_empty()).unwrap_or("?");
    let (protocol, kind) = (field("protocol"), field("type"));
    let mut text = format!("{protocol} {kind} {} port {}", field("ip"), field("port"));
    if field("component") != "1" {
        text += &format!(" component {}", field("component"));
    }
    if let Some(tcp) = candidate.get_attr("tcptype") {
        text += &format!(" {tcp}");
    }
    short(&text)
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
