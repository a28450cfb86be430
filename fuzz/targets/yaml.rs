//! Manifests: YAML with its places, and the files inside of their texts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::manifest::{Object, Source, payload, yaml};

fuzz_target!(|bytes: &[u8]| {
    let source = Source::file("a.yaml", String::from_utf8_lossy(bytes));
    let Ok(documents) = yaml::documents(&source) else { return };
    for document in documents {
        document.scalars(&mut |scalar| {
            assert!(scalar.place.line >= 1 && scalar.place.column >= 1);
            let _ = (payload::yaml(scalar), payload::json(scalar));
        });
        if let Some(object) = Object::new(document) {
            let _ = (object.name(), object.namespace(), object.labels(), object.place());
        }
    }
});
