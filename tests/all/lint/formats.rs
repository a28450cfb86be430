//! The reports that machines read, held to their own definitions.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mxdoctor_fixtures::{npm, python};
use serde_json::Value;

use super::{folder, found, lint, report, stack};

const TREE: &str = "apps/base/matrix";

/// The official schema, and the validator of those who keep it, come in one package.
const MULTITOOL: &str = "@microsoft/sarif-multitool-linux@5.7.0";

const VALIDATE: &str = "
import json, jsonschema, sys
schema, document = (json.load(open(path)) for path in sys.argv[1:])
validator = jsonschema.validators.validator_for(schema)(schema)
for error in validator.iter_errors(document):
    print(error.json_path, error.message[:300])
";

/// What the schema, and Microsoft's own validator, have against a document.
fn against(path: &Path) -> String {
    let package = npm::package(MULTITOOL).expect("the npm registry");
    let python = python::venv(&["jsonschema==4.26.0"]).expect("PyPI");
    let mut schema = Command::new(python);
    schema.args(["-c", VALIDATE]).arg(package.join("sarif-2.1.0.json")).arg(path);
    let output = schema.output().expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut said = String::from_utf8(output.stdout).expect("UTF-8");

    let program = package.join("Sarif.Multitool");
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("ours");
    let mut validate = Command::new(program);
    validate.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1").arg("validate").arg(path);
    let output = validate.output().expect("the validator runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Analysis completed successfully"), "{text}");
    said.extend(
        text.lines().filter(|line| line.contains(": error ")).map(|line| format!("{line}\n")),
    );
    said
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path
}

#[test]
fn sarif_is_valid_and_says_where() {
    let to = tempfile::tempdir().expect("a folder");
    let (code, out, _) = lint(&stack("naive"), &[TREE, "--report", "sarif"]);
    assert_eq!(code, 1);
    let path = write(to.path(), "naive.sarif", &out);
    assert_eq!(against(&path), "");

    let document: Value = serde_json::from_str(&out).expect("JSON");
    let run = &document["runs"][0];
    let results = run["results"].as_array().expect("results");
    let (_, report) = report(&stack("naive"), &[TREE]);
    let places: Vec<String> = results
        .iter()
        .map(|result| {
            let index = result["ruleIndex"].as_u64().expect("an index");
            let index = usize::try_from(index).expect("small");
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            let at = &result["locations"][0]["physicalLocation"];
            let (uri, line) = (&at["artifactLocation"]["uri"], &at["region"]["startLine"]);
            let rule = result["ruleId"].as_str().expect("a rule");
            format!("{rule} {}:{line}", uri.as_str().expect("a path"))
        })
        .collect();
    assert_eq!(places, found(&report));

    // Nothing found is a document too, and so are names that are no URI.
    let strange = folder(&[("ä b/c%d#e?.yaml", b"a: [\n")]);
    for (folder, path) in [(stack(""), "plain"), (strange.path().to_owned(), ".")] {
        let (_, out, _) = lint(&folder, &[path, "--report", "sarif"]);
        assert_eq!(against(&write(to.path(), "a.sarif", &out)), "");
    }
    // The validator can tell.
    let wrong = out.replace("\"startLine\": ", "\"startLine\": -");
    assert_ne!(against(&write(to.path(), "wrong.sarif", &wrong)), "");
}

#[test]
fn github_shows_each_finding_at_its_line() {
    let (code, out, _) = lint(&stack("naive"), &[TREE, "--report", "github"]);
    assert_eq!(code, 1);
    let jvb = "::error file=apps/base/matrix/components/jitsi/jvb.yaml,line=16,col=7,endColumn=18,\
               title=JIT-01::hostNetwork with dnsPolicy ClusterFirst resolves no Service%0Aat run \
               time: the bridge cannot resolve Prosody and never joins: no bridge available%0Awhat \
               to do: set dnsPolicy: ClusterFirstWithHostNet beside hostNetwork\n";
    assert!(out.contains(jvb), "{out}");
    let (_, report) = report(&stack("naive"), &[TREE]);
    let commands = out.lines().filter(|line| line.starts_with("::")).count();
    assert_eq!(commands, found(&report).len(), "{out}");
    for line in out.lines().filter(|line| line.starts_with("::")) {
        let known = ["::error file=", "::warning file=", "::notice file="];
        assert!(known.iter().any(|start| line.starts_with(start)), "{line}");
    }
    // A name with the signs of a command is no command.
    let strange = folder(&[("a,b:c%.yaml", b"a: [\n")]);
    let (_, out, _) = lint(strange.path(), &[".", "--report", "github"]);
    assert!(out.starts_with("::error file=a%2Cb%3Ac%25.yaml,line="), "{out}");
}

#[test]
fn junit_is_valid_under_the_schemas() {
    let to = tempfile::tempdir().expect("a folder");
    let strict = format!("junit-strict={}", to.path().join("strict.xml").display());
    let common = format!("junit={}", to.path().join("common.xml").display());
    let reports = ["--report", &strict, "--report", &common, "--report", "short"];
    let (code, short, _) = lint(&stack("naive"), &[&[TREE][..], &reports].concat());
    assert_eq!(code, 1);
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/tests/xsd");
    for (schema, file) in [("junit-10.xsd", "strict"), ("JUnit.xsd", "strict"), ("", "common")] {
        let mut xmllint = Command::new("xmllint");
        xmllint.arg("--noout");
        if !schema.is_empty() {
            xmllint.arg("--schema").arg(schemas.join(schema));
        }
        let output = xmllint.arg(to.path().join(format!("{file}.xml"))).output();
        let output = output.expect("xmllint is installed (package libxml2-utils)");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let fails = short.lines().filter(|line| line.starts_with("fail lint.")).count();
    let text = std::fs::read_to_string(to.path().join("common.xml")).expect("written");
    assert_eq!(text.matches("<failure").count(), fails);
}
