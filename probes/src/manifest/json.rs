//! Objects of an API server as [`Node`]s: no lines, but the path of each field.

use std::sync::Arc;

use super::{Entry, Node, Place, Source, Text, Value};

/// The tree of a JSON value; its places are fields of `source`.
pub fn node(source: &Arc<Source>, value: &serde_json::Value) -> Node {
    at(source, value, "")
}

fn at(source: &Arc<Source>, value: &serde_json::Value, path: &str) -> Node {
    use serde_json::Value as Json;
    let place = Place::field(source, path);
    let value = match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(number.to_string()),
        Json::String(text) => Value::Text(Text::plain(text)),
        Json::Array(items) => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| at(source, item, &format!("{path}[{index}]")))
                .collect(),
        ),
        Json::Object(fields) => Value::Map(
            fields
                .iter()
                .map(|(key, value)| {
                    let path = join(path, key);
                    let place = Place::field(source, path.as_str());
                    Entry { key: key.clone(), place, node: at(source, value, &path) }
                })
                .collect(),
        ),
    };
    Node { value, place }
}

fn join(path: &str, key: &str) -> String {
    match (path.is_empty(), key.contains(['.', '/'])) {
        (true, false) => key.to_owned(),
        (false, false) => format!("{path}.{key}"),
        (_, true) => format!("{path}[{key}]"),
    }
}
