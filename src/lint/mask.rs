//! Lines of manifests without the secrets in them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mxdoctor_probes::manifest::files::Tree;
use mxdoctor_probes::manifest::{Node, Object};

/// What stands in place of a secret.
const MASK: &str = "***";

/// Endings of keys whose values are secrets.
const SECRET: &[&str] =
    &["secret", "password", "passwd", "token", "private_key", "_key", "secret_key"];

/// The values that may not be shown, by the line on which they stand.
#[derive(Debug, Default)]
pub(super) struct Mask {
    values: HashMap<(String, u32), Vec<String>>,
}

impl Mask {
    /// The values of Secrets, and those of variables that are called secrets.
    pub(super) fn new(tree: &Tree) -> Self {
        let mut mask = Self::default();
        for object in tree.deployments.iter().flat_map(|one| one.inventory.objects()) {
            mask.object(object);
        }
        mask
    }

    fn object(&mut self, object: &Object) {
        if object.kind() == "Secret" {
            for part in ["data", "stringData"] {
                object.node.map(part).iter().for_each(|entry| self.value(&entry.node));
            }
            // What a generator made of a file or of a line stands there as it is.
            for entry in object.node.map("data") {
                let bytes = entry.node.as_str().and_then(|text| STANDARD.decode(text).ok());
                if let Some(text) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    self.text(&entry.node, &text);
                }
            }
        }
        self.variables(&object.node);
    }

    /// `name: X_PASSWORD` beside `value: …`.
    fn variables(&mut self, node: &Node) {
        if let (Some(name), Some(value)) = (node.str("name"), node.get("value"))
            && is_secret(name)
        {
            self.value(value);
        }
        node.items().iter().for_each(|item| self.variables(item));
        node.entries().iter().for_each(|entry| self.variables(&entry.node));
    }

    fn value(&mut self, node: &Node) {
        if let Some(text) = node.scalar() {
            self.text(node, text);
        }
    }

    fn text(&mut self, node: &Node, text: &str) {
        let first = node.place.line;
        for (offset, line) in text.lines().enumerate() {
            let line = line.trim().to_owned();
            let offset = u32::try_from(offset).unwrap_or(0);
            // A block's text begins on the line after its key, or on the same one.
            for number in [first + offset, first + offset + 1] {
                let key = (node.place.source.name.clone(), number);
                self.values.entry(key).or_default().push(line.clone());
            }
        }
    }

    /// A line as it may be shown.
    pub(super) fn line(&self, source: &str, number: u32, line: &str) -> String {
        let mut line = line.to_owned();
        for value in self.values.get(&(source.to_owned(), number)).into_iter().flatten() {
            if !value.is_empty() && !value.contains("${") {
                line = line.replace(value.as_str(), MASK);
            }
        }
        by_key(&line)
    }
}

/// `key: value` whose key says that the value is a secret.
fn by_key(line: &str) -> String {
    let Some((key, value)) = line.split_once(':') else { return line.to_owned() };
    let name = key.trim().trim_start_matches("- ").trim_matches(['"', '\'']);
    let bare = value.trim();
    let opens = bare.is_empty() || bare.starts_with(['|', '>', '{', '[', '&', '*', '#']);
    if opens || bare.contains("${") || !is_secret(name) {
        return line.to_owned();
    }
    format!("{key}: {MASK}")
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::by_key;

    #[test]
    fn values_of_secret_keys_are_masked_and_nothing_else() {
        assert_eq!(by_key("    form_secret: \"abc\""), "    form_secret: ***");
        assert_eq!(by_key("    form_secret: \"${X}\""), "    form_secret: \"${X}\"");
        assert_eq!(by_key("- secretName: synapse-tls"), "- secretName: synapse-tls");
        assert_eq!(by_key("  secret:"), "  secret:");
        assert_eq!(by_key("no colon"), "no colon");
    }
}
