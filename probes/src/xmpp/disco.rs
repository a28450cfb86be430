//! What an entity is and can do (XEP-0030, XEP-0115), and which STUN and TURN servers there are
//! (XEP-0215).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest;

use super::{Element, StanzaError, iq, ns, result, stanza_error};

/// Items of a kind that are kept at most.
const MAX_ITEMS: usize = 1024;

/// What an entity says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// What it is. Jitsi's Prosody names its components here, with their address as name.
    pub identities: Vec<Identity>,
    /// What it can do.
    pub features: Vec<String>,
    /// Fields of the forms in it: name and values (`muc#roominfo_meetingId`, …).
    pub fields: Vec<(String, Vec<String>)>,
}

/// What an entity is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `server`, `conference`, `component`, …
    pub category: String,
    /// `im`, `text`, `speakerstats`, …
    pub kind: String,
    /// In words, or a component's address.
    pub name: Option<String>,
}

impl Info {
    /// The address of a component that the server tells of (`lobbyrooms`, `speakerstats`, …).
    pub fn component(&self, kind: &str) -> Option<&str> {
        let is = |id: &&Identity| id.category == "component" && id.kind == kind;
        self.identities.iter().find(is)?.name.as_deref()
    }

    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, values) = self.fields.iter().find(|(known, _)| known == name)?;
        values.first().map(String::as_str)
    }

    /// Whether it has a feature.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|known| known == feature)
    }
}

/// Asks what an entity is and can do.
pub fn info_request(id: &str, to: &str) -> Element {
    iq("get", id, to).child(Element::new("query", ns::DISCO_INFO))
}

/// Whether a stanza asks us that.
pub fn is_info_request(stanza: &Element) -> bool {
    stanza.is("iq", ns::CLIENT)
        && stanza.get_attr("type") == Some("get")
        && stanza.get("query", ns::DISCO_INFO).is_some()
}

/// Answers what we are (a bot of that name) and can do.
pub fn info_answer(request: &Element, name: &str, features: &[&str]) -> Element {
    let mut query = Element::new("query", ns::DISCO_INFO);
    let asked = request.get("query", ns::DISCO_INFO);
    if let Some(node) = asked.and_then(|query| query.get_attr("node")) {
        query = query.attr("node", node);
    }
    let identity = Element::new("identity", ns::DISCO_INFO)
        .attr("category", "client")
        .attr("type", "bot")
        .attr("name", name);
    query = query.child(identity);
    for feature in features {
        query = query.child(Element::new("feature", ns::DISCO_INFO).attr("var", *feature));
    }
    result(request).child(query)
}

/// The same for a presence, in a word (XEP-0115 section 5.1): who has seen an answer with this word
/// does not ask again.
pub fn caps(node: &str, name: &str, features: &[&str]) -> Element {
    let mut features = features.to_vec();
    features.sort_unstable();
    let features: String = features.iter().map(|feature| format!("{feature}<")).collect();
    let all = format!("client/bot//{name}<{features}");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, all.as_bytes());
    Element::new("c", ns::CAPS)
        .attr("hash", "sha-1")
        .attr("node", node)
        .attr("ver", BASE64.encode(hash))
}

/// Reads an answer; also a message that tells it unasked, as some sites' servers send after the
/// login.
///
/// # Errors
/// The entity's error; one with `undefined-condition` for an answer without what was asked for.
pub fn info(answer: &Element) -> Result<Info, StanzaError> {
    let query = payload(answer, &[("query", ns::DISCO_INFO)])?;
    let mut info = Info::default();
    for child in query.elements() {
        let text = |name| child.get_attr(name).unwrap_or_default().to_owned();
        if child.is("identity", ns::DISCO_INFO) && info.identities.len() < MAX_ITEMS {
            let name = child.get_attr("name").map(str::to_owned);
            info.identities.push(Identity { category: text("category"), kind: text("type"), name });
        } else if child.is("feature", ns::DISCO_INFO) && info.features.len() < MAX_ITEMS {
            info.features.push(text("var"));
        } else if child.is("x", ns::DATA) {
            let fields = child.elements().filter(|field| field.is("field", ns::DATA));
            let room = MAX_ITEMS - info.fields.len();
            info.fields.extend(fields.take(room).map(field));
        }
    }
    Ok(info)
}

fn field(element: &Element) -> (String, Vec<String>) {
    let values = element.elements().filter(|child| child.is("value", ns::DATA));
    let name = element.get_attr("var").unwrap_or_default().to_owned();
    (name, values.take(MAX_ITEMS).map(Element::get_text).collect())
}

/// A STUN or TURN server, as Prosody tells of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    /// `stun`, `stuns`, `turn` or `turns`; others are told as they are.
    pub kind: String,
    /// Name or address.
    pub host: String,
    /// None: the scheme's own.
    pub port: Option<u16>,
    /// `udp` or `tcp`.
    pub transport: Option<String>,
    /// For TURN.
    pub username: Option<String>,
    /// For TURN; never printed.
    pub password: Option<String>,
    /// Until when these are valid, as told.
    pub expires: Option<String>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("kind", &self.kind)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("transport", &self.transport)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("expires", &self.expires)
            .finish()
    }
}

/// Asks for STUN and TURN servers, by `urn:xmpp:extdisco:2`; where that is refused, ask once more
/// with `old`: by `urn:xmpp:extdisco:1`.
pub fn services_request(id: &str, to: &str, old: bool) -> Element {
    let ns = if old { ns::EXTDISCO_1 } else { ns::EXTDISCO };
    iq("get", id, to).child(Element::new("services", ns))
}

/// Reads an answer, of either version; also a message that tells it unasked. What has no kind or host is left out.
///
/// # Errors
/// The server's error: `service-unavailable` is normal where no TURN server is configured.
pub fn services(answer: &Element) -> Result<Vec<Service>, StanzaError> {
    let services = payload(answer, &[("services", ns::EXTDISCO), ("services", ns::EXTDISCO_1)])?;
    let children = services.elements().filter(|child| child.is("service", &services.ns));
    Ok(children.filter_map(service).take(MAX_ITEMS).collect())
}

fn service(element: &Element) -> Option<Service> {
    let text = |name| element.get_attr(name).filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Service {
        kind: text("type")?,
        host: text("host")?,
        port: text("port").and_then(|port| port.trim().parse().ok()).filter(|port| *port > 0),
        transport: text("transport"),
        username: text("username"),
        password: text("password"),
        expires: text("expires"),
    })
}

fn payload<'a>(answer: &'a Element, due: &[(&str, &str)]) -> Result<&'a Element, StanzaError> {
    if let Some(error) = stanza_error(answer) {
        return Err(error);
    }
    due.iter().find_map(|(name, ns)| answer.get(name, ns)).ok_or_else(|| StanzaError {
        from: answer.get_attr("from").map(str::to_owned),
        kind: String::new(),
        condition: "undefined-condition".into(),
        text: Some(format!("the answer has no `{}`", due[0].0)),
        details: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::parse;

    #[test]
    fn components_and_fields_are_found() {
        let answer = parse(
            "<iq xmlns='jabber:client' type='result' id='d'>\
             <query xmlns='http://jabber.org/protocol/disco#info'>\
             <identity category='server' type='im' name='Prosody'/>\
             <identity category='component' type='lobbyrooms' name='lobby.meet.jitsi'/>\
             <feature var='muc_passwordprotected'/><x xmlns='jabber:x:data' type='result'>\
             <field var='muc#roominfo_meetingId'><value>m1</value></field><field var='empty'/></x>\
             </query></iq>",
        );
        let info = info(&answer.expect("XML")).expect("info");
        assert_eq!(info.component("lobbyrooms"), Some("lobby.meet.jitsi"));
        assert_eq!(info.component("polls"), None);
        assert_eq!(info.field("muc#roominfo_meetingId"), Some("m1"));
        assert_eq!(info.field("empty"), None);
        assert!(info.has("muc_passwordprotected"));
    }

    #[test]
    fn a_message_that_tells_all_unasked_is_read() {
        let message = parse(
            "<message xmlns='jabber:client' from='meet.jitsi'>\
             <query xmlns='http://jabber.org/protocol/disco#info'>\
             <identity category='component' type='shard' name='s1'/></query>\
             <services xmlns='urn:xmpp:extdisco:2'><service type='turns' host='t.example' \
             port='443' transport='tcp' username='1:u' password='ladder' expires='soon'/>\
             <service type='stun'/><service type='stun' host='s.example' port='x'/></services>\
             </message>",
        );
        let message = message.expect("XML");
        assert_eq!(info(&message).expect("info").component("shard"), Some("s1"));
        let services = services(&message).expect("services");
        assert_eq!(services.len(), 2);
        assert_eq!((services[0].port, services[0].username.as_deref()), (Some(443), Some("1:u")));
        assert_eq!((services[1].port, &*services[1].host), (None, "s.example"));
    }

    #[test]
    fn the_word_in_a_presence_is_that_of_the_answer() {
        let asked = parse(
            "<iq xmlns='jabber:client' type='get' id='q' from='r@muc/focus'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
        );
        let features = ["urn:b", "http://a", "urn:a"];
        let answer = info_answer(&asked.expect("XML"), "probe", &features);
        let told = info(&answer).expect("info");
        let who = &told.identities[0];
        let name = who.name.as_deref().unwrap_or_default();
        let all = format!("{}/{}//{name}<http://a<urn:a<urn:b<", who.category, who.kind);
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, all.as_bytes());
        let presence = caps("urn:node", "probe", &features);
        assert_eq!(presence.get_attr("ver"), Some(&*BASE64.encode(hash)));
        assert_eq!(presence.get_attr("hash"), Some("sha-1"));
    }

    #[test]
    fn a_question_about_a_node_is_answered_for_it() {
        let asked = parse(
            "<iq xmlns='jabber:client' type='get' id='q' from='r@muc/focus'>\
             <query xmlns='http://jabber.org/protocol/disco#info' node='n#v'/></iq>",
        );
        let asked = asked.expect("XML");
        assert!(is_info_request(&asked));
        let answer = info_answer(&asked, "mxdoctor", &["f"]);
        let query = answer.get("query", ns::DISCO_INFO).expect("a query");
        assert_eq!(query.get_attr("node"), Some("n#v"));
        assert_eq!(
            (answer.get_attr("to"), answer.get_attr("id")),
            (Some("r@muc/focus"), Some("q"))
        );
        assert!(!is_info_request(&answer));
    }
}
