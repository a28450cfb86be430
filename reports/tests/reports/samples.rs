//! The samples beside the code are what the code writes.

use std::path::Path;

use mxdoctor_reports::terminal::{Look, render};
use mxdoctor_reports::{json, junit};

use crate::runs;

const UPDATE: &str = "MXDOCTOR_UPDATE_SAMPLES";

#[test]
fn samples_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let look = Look { color: false, utf8: true, width: 100 };
    for (name, report) in runs::all() {
        if !["healthy", "one-cause", "two-causes"].contains(&name) {
            continue;
        }
        let forms = [
            ("json", json::render(&report)),
            ("xml", junit::render(&report)),
            ("txt", render(&report, look)),
        ];
        for (form, text) in forms {
            let path = folder.join(format!("{name}.{form}"));
            if std::env::var_os(UPDATE).is_some() {
                std::fs::write(&path, &text).expect("can be written");
            }
            let sample = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(sample == text, "{} differs: run with {UPDATE}=1 and look", path.display());
        }
    }
}
