//! `images`.

use regex::Regex;

use crate::manifest::{Node, Place, Value};

use super::build::Build;
use super::document::Document;
use super::edit;
use super::fields::Field;
use super::resource::Resource;

/// Images of pods. Those of containers are changed once more, which counts for a `tagSuffix`.
const PODS: &[&str] = &[
    "spec/containers[]/image",
    "spec/initContainers[]/image",
    "spec/volumes[]/image/reference",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
    "spec/template/spec/volumes[]/image/reference",
];

/// What an entry makes of the images that it names.
struct Change {
    expression: Regex,
    name: Option<String>,
    tag: Option<String>,
    suffix: Option<String>,
    digest: Option<String>,
    place: Place,
}

/// Gives the images of all containers another name, tag or digest.
pub(super) fn set(build: &mut Build<'_>, document: &Document, all: &mut [Resource]) {
    for item in document.list("images").iter().chain(document.list("imageTags")) {
        let Some(change) = change(build, item) else { continue };
        if !build.look(all, &item.place) {
            return;
        }
        for resource in all.iter_mut().filter(|it| it.kind() != "CustomResourceDefinition") {
            containers(&mut resource.node, &change);
            for path in PODS {
                let field = Field { group: "", version: "", kind: "", path, create: false };
                field.each(&mut resource.node, &change.place, &mut |node| one(node, &change));
            }
        }
    }
}

fn change(build: &mut Build<'_>, item: &Node) -> Option<Change> {
    let mut said = |key: &str| {
        let node = item.get(key).filter(|node| !node.is_null() && node.as_str() != Some(""))?;
        build.text(node).map(|text| (text.to_owned(), node.place.clone()))
    };
    let (name, tag) = (said("newName"), said("newTag"));
    let (suffix, digest) = (said("tagSuffix"), said("digest"));
    let of = said("name").map(|(text, _)| text).unwrap_or_default();
    let chosen = [&tag, &digest, &suffix, &name].into_iter().flatten().next();
    let place = chosen.map_or(&item.place, |(_, place)| place).clone();
    let text = |it: Option<(String, Place)>| it.map(|(text, _)| text);
    // The name is taken as an expression, as kustomize does.
    let whole = format!("^{of}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$");
    let Ok(expression) = Regex::new(&whole) else {
        build.wrong(&item.place, format!("{of} is no name of an image"));
        return None;
    };
    let (name, tag, suffix, digest) = (text(name), text(tag), text(suffix), text(digest));
    Some(Change { expression, name, tag, suffix, digest, place })
}

/// The images of all lists that are called containers, wherever they are.
fn containers(node: &mut Node, change: &Change) {
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| containers(item, change)),
        Value::Map(entries) => {
            for entry in entries {
                containers(&mut entry.node, change);
                if !matches!(entry.key.as_str(), "containers" | "initContainers") {
                    continue;
                }
                let Value::List(items) = &mut entry.node.value else { continue };
                let images = items.iter_mut().filter_map(|item| edit::get_mut(item, "image"));
                images.for_each(|image| one(image, change));
            }
        }
        _ => {}
    }
}

fn one(node: &mut Node, change: &Change) {
    let Some(old) = node.as_str().filter(|text| change.expression.is_match(text)) else { return };
    let (name, tag, digest) = split(old);
    let name = change.name.as_deref().unwrap_or(name);
    let (tag, digest) = match (&change.tag, &change.digest, &change.suffix) {
        (Some(tag), digest, _) => (tag.clone(), digest.clone().unwrap_or_default()),
        (None, Some(digest), _) => (String::new(), digest.clone()),
        (None, None, Some(suffix)) => (format!("{tag}{suffix}"), String::new()),
        (None, None, None) => (tag.to_owned(), digest.to_owned()),
    };
    let mut image = name.to_owned();
    for (mark, part) in [(":", tag), ("@", digest)] {
        if !part.is_empty() {
            image.push_str(mark);
            image.push_str(&part);
        }
    }
    if image != old {
        *node = edit::text(image, &change.place);
    }
}

/// Name, tag and digest of an image; its host may have a port.
fn split(image: &str) -> (&str, &str, &str) {
    let host = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let (before, digest) = match image[host..].find('@') {
        Some(at) => (&image[..host + at], &image[host + at + 1..]),
        None => (image, ""),
    };
    match before[host..].find(':') {
        Some(at) => (&before[..host + at], &before[host + at + 1..], digest),
        None => (before, "", digest),
    }
}
