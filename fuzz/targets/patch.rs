//! An object of a kustomization and patches of it, as documents of one text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mxdoctor_probes::manifest::{Source, patch, yaml};

fuzz_target!(|bytes: &[u8]| {
    let source = Source::file("a.yaml", String::from_utf8_lossy(bytes));
    let Ok(documents) = yaml::documents(&source) else { return };
    let mut documents = documents.into_iter();
    let Some(mut object) = documents.next() else { return };
    for document in documents {
        match patch(object, document) {
            Ok(Some(patched)) => object = patched,
            Ok(None) | Err(_) => return,
        }
    }
});
