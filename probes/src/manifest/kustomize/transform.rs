//! What a kustomization changes, in kustomize's order.

use crate::manifest::{Node, Place};

use super::build::Build;
use super::document::Document;
use super::resource::Resource;
use super::{images, labels, names, namespace, replacements, replicas};

/// The longest text that is written into objects.
const MAX_TEXT: usize = 4_096;

/// Changes the objects as a kustomization says.
pub(super) fn all(build: &mut Build<'_>, document: &Document, all: &mut Vec<Resource>) {
    build.strategic(document, all);
    build.patches(document, all);
    namespace::set(build, document, all);
    names::add(build, document, all);
    labels::add(build, document, all);
    labels::annotate(build, document, all);
    build.json_patches(document, all);
    replicas::set(build, document, all);
    images::set(build, document, all);
    replacements::make(build, document, all);
}

impl Build<'_> {
    /// A text that a kustomization writes into objects; what is wrong with it is said.
    pub(super) fn text<'a>(&mut self, node: &'a Node) -> Option<&'a str> {
        match node.as_str() {
            Some(text) if text.len() <= MAX_TEXT => Some(text),
            Some(_) => {
                self.wrong(&node.place, format!("a text of more than {MAX_TEXT} characters"));
                None
            }
            None => {
                self.wrong(&node.place, format!("a text was expected, not {}", node.kind()));
                None
            }
        }
    }

    /// A text under a key of the kustomization.
    pub(super) fn word<'a>(
        &mut self,
        document: &'a Document,
        key: &str,
    ) -> Option<(&'a str, &'a Place)> {
        let entry = document.entry(key)?;
        self.text(&entry.node).map(|text| (text, &entry.node.place))
    }
}
