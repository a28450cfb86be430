//! What a `description` element offers.

use super::ns;
use crate::xmpp::Element;

/// Payload types, header extensions and the like that are kept at most, each.
const MAX_ITEMS: usize = 256;

/// What is offered for audio or video.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Media {
    /// In the order of preference.
    pub payload_types: Vec<PayloadType>,
    /// Header extensions: number and URI.
    pub extensions: Vec<(u16, String)>,
    /// Milliseconds of media in a packet at most, as offered.
    pub max_ptime: Option<u32>,
}

/// An encoding and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadType {
    /// 0 to 127.
    pub id: u8,
    /// `opus`, `VP8`, …
    pub name: String,
    /// Hertz; 0 where not told.
    pub clock_rate: u32,
    /// 1 unless told otherwise.
    pub channels: u8,
    /// Format parameters (`fmtp` of SDP).
    pub parameters: Vec<(String, String)>,
    /// Feedback messages: type and subtype.
    pub feedback: Vec<(String, Option<String>)>,
}

impl Media {
    /// Reads a `description`; what has no valid number is left out.
    pub(super) fn read(description: &Element) -> Self {
        let mut media = Self {
            max_ptime: description.get_attr("maxptime").and_then(|text| text.parse().ok()),
            ..Self::default()
        };
        for child in description.elements() {
            if child.is("payload-type", ns::RTP) && media.payload_types.len() < MAX_ITEMS {
                media.payload_types.extend(PayloadType::read(child));
            }
            if child.is("rtp-hdrext", ns::HEADER_EXTENSION) && media.extensions.len() < MAX_ITEMS {
                let id = child.get_attr("id").and_then(|id| id.parse().ok());
                let uri = child.get_attr("uri").map(str::to_owned);
                media.extensions.extend(id.zip(uri));
            }
        }
        media
    }

    /// The first payload type of that name, in whatever case.
    pub fn payload_type(&self, name: &str) -> Option<&PayloadType> {
        self.payload_types.iter().find(|payload| payload.name.eq_ignore_ascii_case(name))
    }

    /// The number of a header extension.
    pub fn extension(&self, uri: &str) -> Option<u16> {
        self.extensions.iter().find(|(_, known)| known == uri).map(|(id, _)| *id)
    }
}

impl PayloadType {
    fn read(element: &Element) -> Option<Self> {
        let number = |name| element.get_attr(name).and_then(|text| text.parse::<u32>().ok());
        let pair = |child: &Element| {
            let name = child.get_attr("name").unwrap_or_default();
            Some((name.to_owned(), child.get_attr("value")?.to_owned()))
        };
        let feedback = |child: &Element| {
            let subtype = child.get_attr("subtype").map(str::to_owned);
            Some((child.get_attr("type")?.to_owned(), subtype))
        };
        let of = |name: &'static str, ns: &'static str| {
            element.elements().filter(move |child| child.is(name, ns)).take(MAX_ITEMS)
        };
        Some(Self {
            id: number("id").and_then(|id| u8::try_from(id).ok()).filter(|id| *id < 128)?,
            name: element.get_attr("name").unwrap_or_default().to_owned(),
            clock_rate: number("clockrate").unwrap_or(0),
            channels: number("channels").and_then(|count| u8::try_from(count).ok()).unwrap_or(1),
            parameters: of("parameter", ns::RTP).filter_map(pair).collect(),
            feedback: of("rtcp-fb", ns::RTCP_FB).filter_map(feedback).collect(),
        })
    }

    /// As an element, for an answer.
    pub(super) fn element(&self) -> Element {
        let mut element = Element::new("payload-type", ns::RTP)
            .attr("id", self.id.to_string())
            .attr("name", &self.name)
            .attr("clockrate", self.clock_rate.to_string());
        if self.channels != 1 {
            element = element.attr("channels", self.channels.to_string());
        }
        for (name, value) in &self.parameters {
            let parameter = Element::new("parameter", ns::RTP);
            element = element.child(parameter.attr("name", name).attr("value", value));
        }
        element
    }
}
