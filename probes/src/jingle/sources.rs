//! Streams of media, as elements (XEP-0339) or as Jitsi's JSON.

use serde_json::Value;

use super::ns;
use crate::xmpp::Element;

/// Sources and groups that are kept at most, each.
const MAX_ITEMS: usize = 1024;

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Audio.
    Audio,
    /// Video.
    Video,
}

impl MediaKind {
    /// As signalled.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "audio" => Some(Self::Audio),
            "video" => Some(Self::Video),
            _ => None,
        }
    }
}

/// A stream of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Audio or video.
    pub kind: MediaKind,
    /// Its number in RTP.
    pub ssrc: u32,
    /// `ENDPOINT-a0`
    pub name: Option<String>,
    /// The endpoint that sends it; `jvb` for the bridge's own.
    pub owner: Option<String>,
    /// `STREAM TRACK`
    pub msid: Option<String>,
}

/// Streams that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceGroup {
    /// Audio or video.
    pub kind: MediaKind,
    /// `FID` or `SIM`.
    pub semantics: String,
    /// In the order that counts.
    pub ssrcs: Vec<u32>,
}

/// Streams and their groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The streams.
    pub sources: Vec<Source>,
    /// The groups.
    pub groups: Vec<SourceGroup>,
    /// What could not be read, and what is beyond the 1024 that are kept.
    pub dropped: usize,
}

impl Sources {
    /// Those in the contents of a `jingle` element, and those in its JSON.
    pub(super) fn read(jingle: &Element) -> Self {
        let mut read = Self::default();
        for content in jingle.elements().filter(|child| child.is("content", ns::JINGLE)) {
            let Some(description) = content.get("description", ns::RTP) else { continue };
            let media = description.get_attr("media").or_else(|| content.get_attr("name"));
            if let Some(kind) = media.and_then(MediaKind::parse) {
                read.description(kind, description);
            }
        }
        for message in jingle.elements().filter(|c| c.is("json-message", ns::JITMEET)) {
            read.json(&message.get_text());
        }
        read
    }

    /// The streams of an endpoint (`jvb`: the bridge's own).
    pub fn of<'a>(&'a self, owner: &'a str) -> impl Iterator<Item = &'a Source> {
        self.sources.iter().filter(move |source| source.owner.as_deref() == Some(owner))
    }

    fn description(&mut self, kind: MediaKind, description: &Element) {
        for child in description.elements() {
            if child.is("source", ns::SSMA) {
                self.push(source(kind, child));
            } else if child.is("ssrc-group", ns::SSMA) {
                let semantics = child.get_attr("semantics").unwrap_or_default().to_owned();
                let ssrcs = child.elements().filter_map(ssrc).take(MAX_ITEMS).collect();
                self.push_group(Some(SourceGroup { kind, semantics, ssrcs }));
            }
        }
    }

    /// `{"sources":{OWNER:[[video],[groups of video],[audio],[groups of audio]]}}`; arrays at the
    /// end may be missing.
    fn json(&mut self, text: &str) {
        let Ok(json) = serde_json::from_str::<Value>(text) else {
            self.dropped += 1;
            return;
        };
        for (owner, lists) in json["sources"].as_object().into_iter().flatten() {
            let list = |index: usize| lists[index].as_array().into_iter().flatten();
            for (kind, index) in [(MediaKind::Video, 0), (MediaKind::Audio, 2)] {
                for item in list(index) {
                    self.push(json_source(kind, owner, item));
                }
                for item in list(index + 1) {
                    self.push_group(json_group(kind, item));
                }
            }
        }
    }

    fn push(&mut self, source: Option<Source>) {
        match source {
            Some(source) if self.sources.len() < MAX_ITEMS => self.sources.push(source),
            _ => self.dropped += 1,
        }
    }

    fn push_group(&mut self, group: Option<SourceGroup>) {
        match group {
            Some(group) if self.groups.len() < MAX_ITEMS => self.groups.push(group),
            _ => self.dropped += 1,
        }
    }
}

fn ssrc(element: &Element) -> Option<u32> {
    element.get_attr("ssrc")?.trim().parse().ok()
}

fn source(kind: MediaKind, element: &Element) -> Option<Source> {
    let msid = element
        .elements()
        .find(|child| child.name == "parameter" && child.get_attr("name") == Some("msid"));
    let owner = element.get("ssrc-info", ns::JITMEET).and_then(|info| info.get_attr("owner"));
    Some(Source {
        kind,
        ssrc: ssrc(element)?,
        name: element.get_attr("name").map(str::to_owned),
        // Older versions tell the occupant's whole address.
        owner: owner.map(|owner| owner.rsplit('/').next().unwrap_or(owner).to_owned()),
        msid: msid.and_then(|child| child.get_attr("value")).map(str::to_owned),
    })
}

fn json_ssrc(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|ssrc| u32::try_from(ssrc).ok())
}

fn json_source(kind: MediaKind, owner: &str, item: &Value) -> Option<Source> {
    let text = |key: &str| item[key].as_str().map(str::to_owned);
    Some(Source {
        kind,
        ssrc: json_ssrc(&item["s"])?,
        name: text("n"),
        owner: Some(owner.to_owned()),
        msid: text("m"),
    })
}

fn json_group(kind: MediaKind, item: &Value) -> Option<SourceGroup> {
    let (first, rest) = item.as_array()?.split_first()?;
    let semantics = match first.as_str()? {
        "f" => "FID",
        "s" => "SIM",
        other => other,
    };
    let ssrcs = rest.iter().filter_map(json_ssrc).take(MAX_ITEMS).collect();
    Some(SourceGroup { kind, semantics: semantics.to_owned(), ssrcs })
}
