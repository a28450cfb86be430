//! What was said in real conferences.

use std::fs;
use std::path::Path;

use crate::xmpp::{Element, parse};

/// A stanza or another element, with the capture that it stands in.
pub(crate) struct Frame {
    pub(crate) capture: String,
    /// Whether the server sent it.
    pub(crate) received: bool,
    pub(crate) element: Element,
}

/// All frames of all captures, in their order.
pub(crate) fn frames() -> Vec<Frame> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures/jitsi");
    let entries = fs::read_dir(&folder).expect("the captures");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    assert!(paths.len() >= 15, "the captures are in {}", folder.display());
    paths.iter().flat_map(|path| read(path)).collect()
}

fn read(path: &Path) -> Vec<Frame> {
    let capture = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(path).expect("text");
    let frame = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
        // How the connection ended, in two captures.
        json["error"].is_null().then_some(())?;
        let text = |key: &str| json[key].as_str().expect("text").to_owned();
        let element = parse(&text("frame"));
        Some(Frame {
            element: element.unwrap_or_else(|error| panic!("{capture}: {error}: {line}")),
            capture: capture.clone(),
            received: text("dir") == "in",
        })
    };
    text.lines().filter_map(frame).collect()
}
