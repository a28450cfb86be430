//! The hash at the end of the names of generated objects.
//!
//! Source: `api/hasher/hasher.go` of kustomize: SHA-256 of a JSON text as Go writes it.

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};

use crate::manifest::{Node, Value};

use super::resource::Resource;

/// Puts the hashes at the ends of the names that get one.
pub(super) fn names(all: &mut [Resource]) {
    for resource in all.iter_mut().filter(|resource| resource.hashed) {
        let hash = hash(resource);
        resource.remember();
        resource.rename(format!("{}-{hash}", resource.name()));
    }
}

fn hash(resource: &Resource) -> String {
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    fields.insert("kind", string(resource.kind()));
    // kustomize looks for the name under a key that is never there.
    fields.insert("name", string(""));
    let data = resource.node.get("data");
    fields.insert("data", data.map_or_else(|| string(""), json));
    let mut optional = |key: &'static str| {
        if let Some(node) = resource.node.get(key).filter(|node| node.kind() == "a map") {
            fields.insert(key, json(node));
        }
    };
    if resource.kind() == "Secret" {
        optional("stringData");
        let kind = resource.node.get("type").and_then(Node::scalar).unwrap_or_default();
        fields.insert("type", string(kind));
    } else {
        optional("binaryData");
    }
    let fields: Vec<String> =
        fields.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    let text = format!("{{{}}}", fields.join(","));
    let sum = digest(&SHA256, text.as_bytes());
    let hex: String = sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    // Without vowels and digits that would make words.
    let letter = |c: char| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    hex.chars().take(10).map(letter).collect()
}

/// A value as Go's `encoding/json` writes it: keys in their order, `<`, `>` and `&` escaped.
fn json(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.clone(),
        Value::Text(text) => string(&text.text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(entries) => {
            let fields: BTreeMap<&str, &Node> =
                entries.iter().map(|entry| (entry.key.as_str(), &entry.node)).collect();
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(key, value)| format!("{}:{}", string(key), json(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c if u32::from(c) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
