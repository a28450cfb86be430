//! `namePrefix` and `nameSuffix`.

use super::build::Build;
use super::document::Document;
use super::resource::Resource;

/// Gives all names a beginning and an end, but those of what is named by others.
pub(super) fn add(build: &mut Build<'_>, document: &Document, all: &mut [Resource]) {
    if let Some((prefix, place)) = build.word(document, "namePrefix") {
        for resource in all.iter_mut().filter(|resource| is_renamed(resource)) {
            resource.prefixes.push(prefix.to_owned());
            resource.renamed_by.push(place.clone());
            resource.remember();
            resource.rename(format!("{prefix}{}", resource.name()));
        }
    }
    if let Some((suffix, place)) = build.word(document, "nameSuffix") {
        for resource in all.iter_mut().filter(|resource| is_renamed(resource)) {
            resource.suffixes.push(suffix.to_owned());
            resource.renamed_by.push(place.clone());
            resource.remember();
            resource.rename(format!("{}{suffix}", resource.name()));
        }
    }
}

fn is_renamed(resource: &Resource) -> bool {
    let id = resource.original();
    let is_service = id.group == "apiregistration.k8s.io" && id.kind == "APIService";
    !is_service && !matches!(id.kind.as_str(), "CustomResourceDefinition" | "Namespace")
}
