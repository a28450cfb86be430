//! `session-initiate`: the bridge's offer, brought by the focus.

use super::{Media, MediaKind, Sources, Transport, ns};
use crate::ice::Credentials;
use crate::xmpp::{Element, ns as xmpp};

/// Contents of a session.
const MAX_CONTENTS: usize = 64;

/// Why an element is no usable Jingle request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JingleError {
    /// Not an `iq` of type `set` with a `jingle` element.
    #[error("no Jingle request")]
    NotJingle,
    /// A Jingle request of another action than expected.
    #[error("the Jingle action is `{0}`, not `session-initiate`")]
    Action(String),
    /// An attribute is missing: `id` or `from` of the stanza, `sid` or `action` of the session.
    #[error("the Jingle request has no `{0}`")]
    Missing(&'static str),
    /// More contents than any session has.
    #[error("the session has more than {MAX_CONTENTS} contents")]
    TooManyContents,
    /// No content has a transport.
    #[error("the offer has no ICE transport")]
    NoTransport,
    /// No ICE user name fragment and password, or only one of them, or one far too long.
    #[error("the offer's transport has no usable ufrag and pwd")]
    Credentials,
    /// No fingerprint: DTLS could not be authenticated.
    #[error("the offer's transport has no usable fingerprint")]
    NoFingerprint,
}

/// A content of the offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// `audio`, `video` or `data` by Jicofo.
    pub name: String,
    /// Of the description: `audio`, `video`, `application`.
    pub media: Option<String>,
    /// Whether it carries a data channel.
    pub data: bool,
}

impl Content {
    fn read(element: &Element) -> Self {
        let name = element.get_attr("name").unwrap_or_default().to_owned();
        // Whatever the description's namespace, it says which media it is for.
        let description = element.elements().find(|child| child.name == "description");
        let media = description.and_then(|child| child.get_attr("media")).map(str::to_owned);
        let sctp = |child: &Element| child.get("sctpmap", ns::SCTP).is_some();
        let application = media.as_deref() == Some("application");
        let data = application || element.elements().any(sctp);
        Self { name, media, data }
    }

    /// What the content is for; none for data.
    pub fn kind(&self) -> Option<MediaKind> {
        if self.data {
            return None;
        }
        self.media.as_deref().or(Some(&self.name)).and_then(MediaKind::parse)
    }
}

/// The bridge session, to be named in what is said of it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeSession {
    /// Jicofo's id of it.
    pub id: String,
    /// Where the bridge is, if told.
    pub region: Option<String>,
}

/// What the focus wants to begin muted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartMuted {
    /// Audio.
    pub audio: bool,
    /// Video.
    pub video: bool,
}

/// The bridge's offer.
#[derive(Debug, Clone)]
pub struct Initiate {
    /// The occupant that offers: `ROOM@MUC/focus`.
    pub from: String,
    /// Id of the stanza, to be acknowledged.
    pub iq_id: String,
    /// Id of the session.
    pub sid: String,
    /// Who began the session, as told.
    pub initiator: Option<String>,
    /// In the order of the offer.
    pub contents: Vec<Content>,
    /// ICE user name fragment and password.
    pub credentials: Credentials,
    /// The rest of the transport: candidates, fingerprints, addresses of the bridge channel.
    pub transport: Transport,
    /// What is offered for audio.
    pub audio: Option<Media>,
    /// What is offered for video.
    pub video: Option<Media>,
    /// Streams that are there already, the bridge's own among them.
    pub sources: Sources,
    /// The bridge session.
    pub bridge_session: Option<BridgeSession>,
    /// Told only if anything is.
    pub start_muted: Option<StartMuted>,
}

/// Reads a `session-initiate`. Candidates may be missing: they may come later.
///
/// # Errors
/// [`JingleError`].
pub fn initiate(iq: &Element) -> Result<Initiate, JingleError> {
    let jingle = jingle(iq)?;
    let action = jingle.get_attr("action").ok_or(JingleError::Missing("action"))?;
    if action != "session-initiate" {
        return Err(JingleError::Action(action.chars().take(80).collect()));
    }
    let text = |element: &Element, name| element.get_attr(name).map(str::to_owned);
    let elements = contents(jingle)?;
    let (transport, transports) = transport(&elements)?;
    if transports == 0 {
        return Err(JingleError::NoTransport);
    }
    let credentials = transport.credentials.clone().ok_or(JingleError::Credentials)?;
    if transport.fingerprints.is_empty() {
        return Err(JingleError::NoFingerprint);
    }
    let contents: Vec<Content> = elements.iter().map(|element| Content::read(element)).collect();
    let media = |wanted| {
        let mut both = contents.iter().zip(&elements);
        let (_, element) = both.find(|(content, _)| content.kind() == Some(wanted))?;
        element.get("description", ns::RTP).map(Media::read)
    };
    Ok(Initiate {
        from: text(iq, "from").ok_or(JingleError::Missing("from"))?,
        iq_id: text(iq, "id").ok_or(JingleError::Missing("id"))?,
        sid: text(jingle, "sid").ok_or(JingleError::Missing("sid"))?,
        initiator: text(jingle, "initiator"),
        credentials,
        audio: media(MediaKind::Audio),
        video: media(MediaKind::Video),
        contents,
        transport,
        sources: Sources::read(jingle),
        bridge_session: bridge_session(jingle),
        start_muted: start_muted(jingle),
    })
}

/// The request's `jingle` element.
pub(super) fn jingle(iq: &Element) -> Result<&Element, JingleError> {
    if !iq.is("iq", xmpp::CLIENT) || iq.get_attr("type") != Some("set") {
        return Err(JingleError::NotJingle);
    }
    iq.get("jingle", ns::JINGLE).ok_or(JingleError::NotJingle)
}

pub(super) fn contents(jingle: &Element) -> Result<Vec<&Element>, JingleError> {
    let found: Vec<&Element> =
        jingle.elements().filter(|child| child.is("content", ns::JINGLE)).collect();
    if found.len() > MAX_CONTENTS { Err(JingleError::TooManyContents) } else { Ok(found) }
}

/// What the transports of the contents say together, and how many there are.
pub(super) fn transport(contents: &[&Element]) -> Result<(Transport, usize), JingleError> {
    let mut transport = Transport::default();
    let elements = contents.iter().filter_map(|content| content.get("transport", ns::ICE_UDP));
    let mut count = 0;
    for element in elements {
        transport.add(element)?;
        count += 1;
    }
    Ok((transport, count))
}

pub(super) fn bridge_session(jingle: &Element) -> Option<BridgeSession> {
    let element = jingle.get("bridge-session", ns::FOCUS)?;
    let text = |name| element.get_attr(name).map(str::to_owned);
    Some(BridgeSession { id: text("id")?, region: text("region") })
}

fn start_muted(jingle: &Element) -> Option<StartMuted> {
    let element = jingle.get("startmuted", ns::START_MUTED)?;
    let is = |name| element.get_attr(name) == Some("true");
    Some(StartMuted { audio: is("audio"), video: is("video") })
}
