//! What somebody decided to live with.

use super::{folder, found, report};

/// Synapse's configuration with a text where the secret should be, on line 8.
fn tree(above: &str, behind: &str, annotation: &str) -> tempfile::TempDir {
    let text = format!(
        "{above}apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: synapse-config\n{annotation}\
         data:\n  homeserver.yaml: |\n    server_name: example.org\n    \
         form_secret: ${{FORM_SECRET}}{behind}\n"
    );
    folder(&[("a.yaml", text.as_bytes())])
}

fn looked(above: &str, behind: &str, annotation: &str) -> (i32, Vec<String>, String) {
    let tree = tree(above, behind, annotation);
    let (code, report) = report(tree.path(), &["a.yaml", "--only", "SYN-01,LINT"]);
    (code, found(&report), report.checks[0].summary.clone())
}

#[test]
fn a_comment_with_a_reason_hides_and_is_counted() {
    let (code, found, said) = looked("", "", "");
    assert_eq!((code, found), (1, vec!["SYN-01 a.yaml:8".to_owned()]));
    assert_eq!(said, "1 object in 1 file");
    let reason = "# mxdoctor: allow SYN-01 the pipeline renders it";
    for (above, behind) in
        [(format!("{reason}\n"), String::new()), (String::new(), format!(" {reason}"))]
    {
        let (code, found, said) = looked(&above, &behind, "");
        assert_eq!((code, found), (0, Vec::new()));
        assert_eq!(said, "1 object in 1 file; 1 finding allowed by comments");
    }
}

#[test]
fn an_annotation_with_a_reason_hides() {
    let allowed = "  annotations:\n    mxdoctor/allow-SYN-01: the pipeline renders it\n";
    assert_eq!(looked("", "", allowed).1, [""; 0]);
    let unreasoned = "  annotations:\n    mxdoctor/allow-SYN-01: \"\"\n";
    assert_eq!(looked("", "", unreasoned).1, ["SYN-01 a.yaml:10"]);
}

#[test]
fn comments_that_allow_nothing_are_findings() {
    let cases = [
        ("# mxdoctor: allow SYN-01\n", ["LINT-02 a.yaml:1", "SYN-01 a.yaml:9"]),
        ("# mxdoctor: allow SYN-99 for a reason\n", ["LINT-03 a.yaml:1", "SYN-01 a.yaml:9"]),
        ("# mxdoctor: allow LINT-04 for a reason\n", ["LINT-01 a.yaml:1", "SYN-01 a.yaml:9"]),
    ];
    for (above, wanted) in cases {
        let (code, found, _) = looked(above, "", "");
        assert_eq!((code, found), (1, wanted.map(str::to_owned).to_vec()), "{above}");
    }
    // Whether a comment is used is not known of rules that were not asked.
    let tree = tree("# mxdoctor: allow NET-15 for a reason\n", "", "");
    let (_, report) = report(tree.path(), &["a.yaml", "--only", "LINT"]);
    assert_eq!(found(&report), [""; 0]);
}
