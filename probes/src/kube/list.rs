//! Lists of objects, page by page.

use std::sync::Arc;

use serde_json::Value;

use super::{Api, ApiError};
use crate::manifest::{Object, Source, json};

/// Objects of one page.
const PAGE: usize = 250;
/// Objects of one kind.
const MOST: usize = 5000;
/// Depth of an object; deeper ones are left out.
const DEEPEST: usize = 64;

/// What carries the whole object once more, a Secret's values among it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Objects of a kind, and whether these are all.
#[derive(Debug)]
pub(super) struct Objects {
    pub(super) objects: Vec<Object>,
    pub(super) whole: bool,
}

impl Api {
    /// Lists what is at a path. A list that changes under us is begun again, once.
    pub(super) async fn list(
        &self,
        path: &str,
        api_version: &str,
        kind: &str,
    ) -> Result<Objects, ApiError> {
        match self.pages(path, api_version, kind).await {
            Err(ApiError::Status(410, _)) => self.pages(path, api_version, kind).await,
            listed => listed,
        }
    }

    async fn pages(&self, path: &str, api_version: &str, kind: &str) -> Result<Objects, ApiError> {
        let mut objects = Vec::new();
        let mut token = String::new();
        loop {
            let address = page_path(path, &token);
            let page = self.json(&address, "application/json").await?;
            let items = page.get("items").and_then(Value::as_array);
            let items = items.ok_or_else(|| ApiError::Garbage("it is not a list".into()))?;
            objects.extend(items.iter().filter_map(|item| object(item, api_version, kind)));
            let next = page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or("");
            if next.is_empty() {
                return Ok(Objects { objects, whole: true });
            }
            if objects.len() >= MOST || next == token {
                return Ok(Objects { objects, whole: false });
            }
            token = next.to_owned();
        }
    }
}

/// The address of the page that a token leads to.
fn page_path(path: &str, token: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &PAGE.to_string());
    if !token.is_empty() {
        query.append_pair("continue", token);
    }
    format!("{path}?{}", query.finish())
}

/// An object as the rules see it: with the kind that lists leave out, and without what repeats it.
pub(super) fn object(item: &Value, api_version: &str, kind: &str) -> Option<Object> {
    let mut item = item.clone();
    if depth(&item) > DEEPEST {
        return None;
    }
    let fields = item.as_object_mut()?;
    fields.entry("apiVersion").or_insert_with(|| api_version.into());
    fields.entry("kind").or_insert_with(|| kind.into());
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    let text = |at: &str| item.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let (kind, name) = (text("/kind"), text("/metadata/name"));
    let name = match text("/metadata/namespace") {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    };
    Object::new(json::node(&Source::object(name), &item))
}

/// How deep a value is; the parser's own limit of 128 bounds the recursion.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// An object written by hand, for what is known of one that was not listed.
pub(super) fn made(value: &Value) -> Option<Object> {
    let kind = value.get("kind")?.as_str()?;
    let name = value.pointer("/metadata/name")?.as_str()?;
    let source: Arc<Source> = Source::object(format!("{kind} {name}"));
    Object::new(json::node(&source, value))
}
