//! The JSON report under its schema.

use mxdoctor_model::Report;
use mxdoctor_reports::json;

use crate::python::python;
use crate::runs;

const VALIDATE: &str = r"
import json, pathlib, sys
from jsonschema import Draft202012Validator
folder = pathlib.Path(sys.argv[1])
schema = json.loads((folder / 'schema').read_text())
Draft202012Validator.check_schema(schema)
for file in sorted(folder.glob('*.json')):
    Draft202012Validator(schema).validate(json.loads(file.read_text()))
    print(file.stem)
for file in folder.glob('*.wrong'):
    errors = list(Draft202012Validator(schema).iter_errors(json.loads(file.read_text())))
    print(file.stem, 'wrong' if errors else 'taken')
";

#[test]
fn documents_are_valid_for_another_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("can be written");
    };
    write("schema", &mxdoctor_model::report_schema().to_string());
    for (name, report) in runs::all() {
        write(&format!("{name}.json"), &json::render(&report));
    }
    let wrong = json::render(&runs::healthy()).replace("\"pass\"", "\"good\"");
    write("outcome.wrong", &wrong);
    let mut expected: Vec<_> = runs::all().into_iter().map(|(name, _)| name.to_owned()).collect();
    expected.sort();
    expected.push("outcome wrong".to_owned());
    assert_eq!(python(VALIDATE, folder.path()).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn documents_are_read_back() {
    for (name, report) in runs::all() {
        let text = json::render(&report);
        assert!(text.ends_with("}\n"), "{name}");
        let back: Report = serde_json::from_str(&text).expect("our own document");
        assert_eq!(back, report, "{name}");
    }
}
