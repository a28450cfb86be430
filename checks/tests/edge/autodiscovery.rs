//! The client well-known as mxdoctor and as `AutoDiscovery` of matrix-js-sdk see it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use mxdoctor_fixtures::ca::Authority;
use mxdoctor_fixtures::npm;
use mxdoctor_model::{Finding, Outcome};
use serde::Deserialize;
use serde_json::json;

use crate::lab::{Answer, Lab, MATRIX, SERVER, Serve, Zone, address, answer};

/// Set to write the page instead of comparing it.
const WRITE: &str = "MXDOCTOR_WRITE_DOCS";

const CORS: &[(&str, &str)] =
    &[("content-type", "application/json"), ("access-control-allow-origin", "*")];

/// A well-known, and what is behind it.
struct Variant {
    name: &'static str,
    file: Serve,
    /// What the homeserver answers.
    homeserver: Serve,
    /// Why the two may come to different verdicts, with the section of the specification.
    why: Option<&'static str>,
}

fn versions(request: &Request<Incoming>) -> Answer {
    match request.uri().path() {
        "/_matrix/client/versions" | "/hs/_matrix/client/versions" => {
            answer(200, CORS, r#"{"versions":["r0.6.1","v1.1","v1.11","v1.12"]}"#)
        }
        "/file" => answer(200, CORS, RIGHT),
        "/id/_matrix/identity/v2" => answer(200, CORS, "{}"),
        _ => answer(404, CORS, r#"{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}"#),
    }
}

const RIGHT: &str = r#"{"m.homeserver":{"base_url":"https://matrix.testing.borooka.ee"}}"#;

/// A right file with that identity server besides.
fn with_identity(identity: &str) -> String {
    format!("{},\"m.identity_server\":{identity}}}", &RIGHT[..RIGHT.len() - 1])
}

const BROWSERS: &str = "Client-server API, \"Web Browser Clients\": every answer bears \
                        `Access-Control-Allow-Origin`. AutoDiscovery leaves that to the browser \
                        that it runs in, and runs here without one";

fn file(name: &'static str, file: Serve) -> Variant {
    Variant { name, file, homeserver: versions, why: None }
}

impl Variant {
    fn because(self, why: &'static str) -> Self {
        Self { why: Some(why), ..self }
    }

    fn with(self, homeserver: Serve) -> Self {
        Self { homeserver, ..self }
    }
}

macro_rules! base_url {
    ($url:literal) => {
        |_| answer(200, CORS, concat!(r#"{"m.homeserver":{"base_url":"#, $url, "}}"))
    };
}

/// Files that are right, or nearly.
fn usable() -> Vec<Variant> {
    vec![
        file("as it should be", |_| answer(200, CORS, RIGHT)),
        file(
            "a slash at the end of `base_url`",
            base_url!(r#""https://matrix.testing.borooka.ee/""#),
        ),
        file("`base_url` with a path", base_url!(r#""https://matrix.testing.borooka.ee/hs""#)),
        file("`base_url` in upper case", base_url!(r#""https://MATRIX.testing.borooka.ee""#)),
        file("`base_url` between blanks", base_url!(r#"" https://matrix.testing.borooka.ee ""#)),
        file("`text/plain`", |_| {
            let headers = [("content-type", "text/plain"), ("access-control-allow-origin", "*")];
            answer(200, &headers, RIGHT)
        }),
        file("behind a redirect to another host", |_| {
            let to = [("location", "https://matrix.testing.borooka.ee/file"), CORS[1]];
            answer(302, &to, "")
        }),
        file("an identity server besides", |_| {
            answer(
                200,
                CORS,
                with_identity(r#"{"base_url":"https://matrix.testing.borooka.ee/id"}"#),
            )
        }),
        file("without CORS headers", |_| answer(200, &CORS[..1], RIGHT)).because(BROWSERS),
        file("a redirect without CORS headers", |_| {
            answer(302, &[("location", "https://matrix.testing.borooka.ee/file")], "")
        })
        .because(BROWSERS),
        file("`base_url` over plain http", base_url!(r#""http://matrix.testing.borooka.ee""#))
            .because(
                "Client-server API, \"API Standards\": https outside of tests. A browser refuses \
                 http from a page that came over https (mixed content), which AutoDiscovery leaves \
                 to it",
            ),
        file("a byte order mark before the JSON", |_| {
            answer(200, CORS, format!("\u{feff}{RIGHT}"))
        })
        .because(
            "Client-server API, \"API Standards\": JSON is that of RFC 8259, whose section 8.1 \
             forbids the mark. `fetch` strips it; parsers of other clients refuse it",
        ),
    ]
}

/// Files that are none.
fn unreadable() -> Vec<Variant> {
    vec![
        file("404", |_| answer(404, CORS, "404 page not found\n")),
        file("404 with a right file", |_| answer(404, CORS, RIGHT)),
        file("410", |_| answer(410, CORS, "")),
        file("500", |_| answer(500, CORS, "oops")),
        file("204", |_| answer(204, &CORS[1..], "")),
        file("a redirect to itself", |request| {
            let to = [("location", request.uri().path()), CORS[1]];
            answer(302, &to, "")
        }),
        file("a web page", |_| answer(200, CORS, "<!doctype html><title>Element</title>")),
        file("nothing", |_| answer(200, CORS, "")),
        file("JSON with a comma too many", |_| answer(200, CORS, format!("{RIGHT},"))),
        file("an array", |_| answer(200, CORS, "[]")),
        file("an empty object", |_| answer(200, CORS, "{}")),
    ]
}

/// Files that name no homeserver, and homeservers that are none.
fn unusable() -> Vec<Variant> {
    let right: Serve = |_| answer(200, CORS, RIGHT);
    vec![
        file("`m.homeserver` is null", |_| answer(200, CORS, r#"{"m.homeserver":null}"#)),
        file("`m.homeserver` is a string", |_| {
            answer(200, CORS, r#"{"m.homeserver":"https://matrix.testing.borooka.ee"}"#)
        }),
        file("no `base_url`", |_| answer(200, CORS, r#"{"m.homeserver":{}}"#)),
        file("`base_url` is a number", base_url!("1")),
        file("`base_url` without scheme", base_url!(r#""matrix.testing.borooka.ee""#)),
        file("`base_url` with another scheme", base_url!(r#""ftp://matrix.testing.borooka.ee""#)),
        file("`base_url` of a host that does not exist", base_url!(r#""https://no.borooka.ee""#)),
        file("no homeserver at `base_url`", right).with(|_| answer(404, CORS, "{}")),
        file("a web page for versions", right).with(|_| answer(200, CORS, "<html></html>")),
        file("no version", right).with(|_| answer(200, CORS, r#"{"versions":[]}"#)),
        file("old versions only", right).with(|_| answer(200, CORS, r#"{"versions":["r0.6.1"]}"#)),
        file("`m.identity_server` is null", |_| answer(200, CORS, with_identity("null"))),
        file("`m.identity_server` without `base_url`", |_| answer(200, CORS, with_identity("{}"))),
        file("an identity server that is none", |_| {
            answer(200, CORS, with_identity(r#"{"base_url":"https://matrix.testing.borooka.ee"}"#))
        }),
    ]
}

impl Variant {
    async fn lab(&self, authority: Arc<Authority>) -> Lab {
        let zone = Zone::default().a(SERVER, 1).a(MATRIX, 2);
        let mut lab = Lab::under(authority, zone).await;
        lab.target.server_name = SERVER.into();
        lab.target.homeserver = None;
        lab.https(1, &[SERVER], self.file).await;
        lab.https(2, &[MATRIX], self.homeserver).await;
        lab.http(2, self.homeserver).await;
        lab
    }
}

/// What AutoDiscovery says of one part.
#[derive(Debug, Deserialize)]
struct Part {
    state: String,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Found {
    homeserver: Part,
    identity: Part,
}

impl Found {
    /// Whether a client goes on without a word.
    fn is_good(&self) -> bool {
        let identity = ["SUCCESS", "PROMPT"].contains(&self.identity.state.as_str());
        self.homeserver.state == "SUCCESS" && identity
    }

    fn text(&self) -> String {
        let part =
            if self.homeserver.state == "SUCCESS" { &self.identity } else { &self.homeserver };
        match &part.error {
            Some(error) => format!("{}: {error}", part.state),
            None if self.is_good() => "SUCCESS".into(),
            None => part.state.clone(),
        }
    }
}

/// What AutoDiscovery makes of each.
async fn discover(labs: &[Lab]) -> Vec<Found> {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    let tasks: Vec<_> = labs
        .iter()
        .map(|lab| {
            let port = |last: u8, port: u16| {
                lab.config.overrides.addresses[&(address(last).into(), port)].port()
            };
            json!({ "domain": SERVER, "places": {
                format!("{SERVER}:443"): port(1, 443),
                format!("{MATRIX}:443"): port(2, 443),
                format!("{MATRIX}:80"): port(2, 80),
            }})
        })
        .collect();
    std::fs::write(place("roots.pem"), labs[0].authority.root_pem()).expect("a file");
    std::fs::write(place("tasks.json"), json!(tasks).to_string()).expect("a file");
    let program = tokio::task::spawn_blocking(npm::autodiscovery).await.expect("it ends");
    let output = tokio::process::Command::new("node")
        .arg(program.expect("npm installs matrix-js-sdk"))
        .args([place("tasks.json"), place("answers.json")])
        .env("NODE_EXTRA_CA_CERTS", place("roots.pem"))
        .output()
        .await
        .expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = std::fs::read(place("answers.json")).expect("answers");
    serde_json::from_slice(&answers).expect("answers as they were agreed")
}

/// The first finding of a check that is not content: of the two that look at it, or of one that
/// keeps them from it.
async fn judge(lab: &Lab) -> Option<Finding> {
    let mut blocked = false;
    for id in ["synapse.well_known_client", "synapse.versions", "dns.address"] {
        for finding in lab.run(id).await {
            assert_ne!(finding.outcome, Outcome::Error, "{id}: {finding:?}");
            blocked |= finding.outcome == Outcome::Skip;
            if finding.outcome == Outcome::Fail {
                return Some(finding);
            }
        }
    }
    assert!(!blocked, "a check could not look, and none says why");
    None
}

#[tokio::test]
async fn the_verdict_is_that_of_matrix_js_sdk_or_the_difference_is_explained() {
    let variants: Vec<_> = [usable(), unreadable(), unusable()].into_iter().flatten().collect();
    assert!(variants.len() >= 20, "{}", variants.len());
    let authority: Arc<_> = Authority::new("Lab").expect("an authority").into();
    let mut labs = Vec::new();
    for variant in &variants {
        labs.push(variant.lab(Arc::clone(&authority)).await);
    }
    let found = discover(&labs).await;
    assert_eq!(found.len(), variants.len());
    let (mut rows, mut reasons, mut wrong) = (String::new(), BTreeMap::new(), Vec::new());
    for ((variant, lab), found) in variants.iter().zip(&labs).zip(&found) {
        let finding = judge(lab).await;
        let differs = found.is_good() != finding.is_none();
        if differs != variant.why.is_some() {
            wrong.push(format!("{}: {} and {finding:#?}", variant.name, found.text()));
        }
        let ours = finding
            .and_then(|finding| finding.cause)
            .map_or("pass".into(), |cause| format!("[{cause}](causes/{cause}.md)"));
        let number = match variant.why {
            Some(why) => {
                let next = reasons.len() + 1;
                format!(" ({})", reasons.entry(why).or_insert(next))
            }
            None => String::new(),
        };
        let line = format!("| {}{number} | {} | {ours} |", variant.name, found.text());
        writeln!(rows, "{line}").expect("a string takes it");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let page = page(variants.len(), &rows, reasons);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/autodiscovery.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/autodiscovery.md is not what was measured: run `{WRITE}=1 cargo test --package \
         mxdoctor-checks --test edge autodiscovery`, and read what changed\n{page}"
    );
}

fn page(count: usize, rows: &str, reasons: BTreeMap<&str, usize>) -> String {
    let mut by_number: Vec<_> = reasons.into_iter().map(|(why, number)| (number, why)).collect();
    by_number.sort_unstable();
    let reasons: String =
        by_number.iter().map(|(number, why)| format!("{number}. {why}.\n")).collect();
    format!(
        "# The client well-known, compared with matrix-js-sdk\n\n\
         `AutoDiscovery` of matrix-js-sdk is how Element Web finds a homeserver. A test lets it and \
         the\nchecks [synapse.well_known_client](checks/synapse.well_known_client.md) and\n\
         [synapse.versions](checks/synapse.versions.md) look at the same {count} servers; this \
         table is what\nthey said.\n\n\
         Where a client goes on without a word (`SUCCESS`), the checks pass. Where it fails \
         (`FAIL_ERROR`),\nhas to ask (`FAIL_PROMPT`, `PROMPT`) or stumbles itself (`THROWN`), one \
         check fails. The rows with a\nnumber differ, for the reason of that number below the \
         table.\n\n\
         | what is served | AutoDiscovery | mxdoctor |\n| --- | --- | --- |\n{rows}\n{reasons}"
    )
}
