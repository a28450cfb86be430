//! The manual pages in `docs/` are those of the code.
//!
//! `cargo xtask docs` writes them anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mxdoctor_checks::REGISTRY;
use mxdoctor_checks::lint::rules;

/// Set to write the pages instead of comparing them.
const WRITE: &str = "MXDOCTOR_WRITE_DOCS";

fn pages() -> BTreeMap<PathBuf, String> {
    let mut pages = BTreeMap::new();
    let mut index = String::from("# Checks\n\n| check | what must be true |\n| --- | --- |\n");
    for check in REGISTRY {
        index.push_str(&format!("| [{0}](checks/{0}.md) | {1} |\n", check.id, check.title));
        pages.insert(format!("checks/{}.md", check.id).into(), check.markdown());
    }
    index.push_str("\n# Rules of `mxdoctor lint`\n\n| rule | what must be true |\n| --- | --- |\n");
    for rule in rules::all() {
        index.push_str(&format!("| [{0}](rules/{0}.md) | {1} |\n", rule.id, rule.title));
        pages.insert(format!("rules/{}.md", rule.id).into(), rule.markdown());
    }
    index.push_str("\n# Root causes\n\n| cause | what is wrong |\n| --- | --- |\n");
    for cause in mxdoctor_checks::causes() {
        index.push_str(&format!("| [{0}](causes/{0}.md) | {1} |\n", cause.id, cause.title));
        pages.insert(format!("causes/{}.md", cause.id).into(), cause.markdown());
    }
    index.push_str(
        "\n# Comparisons\n\n[The client well-known, with matrix-js-sdk](autodiscovery.md)\n",
    );
    pages.insert("README.md".into(), index);
    let schema = mxdoctor_model::report_schema();
    pages.insert("report.schema.json".into(), format!("{schema:#}\n"));
    pages
}

#[test]
fn pages_are_those_of_the_code() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pages = pages();
    if std::env::var_os(WRITE).is_some() {
        for folder in ["checks", "causes", "rules"] {
            let folder = docs.join(folder);
            if folder.exists() {
                std::fs::remove_dir_all(&folder).expect("old pages go");
            }
            std::fs::create_dir_all(&folder).expect("the folder can be made");
        }
        for (path, text) in &pages {
            std::fs::write(docs.join(path), text).expect("the page can be written");
        }
    }
    for (path, text) in &pages {
        let written = std::fs::read_to_string(docs.join(path)).unwrap_or_default();
        assert!(
            &written == text,
            "docs/{} is not what the code says: run `cargo xtask docs`",
            path.display()
        );
    }
    for folder in ["checks", "causes", "rules"] {
        for entry in std::fs::read_dir(docs.join(folder)).expect("the folder is there") {
            let name = entry.expect("an entry").file_name();
            let path = Path::new(folder).join(&name);
            assert!(pages.contains_key(&path), "docs/{} is of nothing", path.display());
        }
    }
}
