//! `synapse.media_config`.

use futures_util::future::join_all;
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::Response;

use super::shared::{Case, Seen, Want, Wrong, conclude};
use crate::facts::{ClientVersions, Homeserver, Software, Versions, ask};
use crate::{Cx, Verdict, check};

check! {
    /// Media are there for those who are logged in, and for nobody else.
    ///
    /// ## What it asserts
    /// Upload, configuration and download of authenticated media are answered by the homeserver
    /// and ask for a token. What is downloaded the old way, without a token, is not found.
    ///
    /// ## Why it matters
    /// Since v1.11 clients fetch pictures from `/_matrix/client/v1/media`. Where only
    /// `/_matrix/media` is routed, or only the client API, people see no pictures, or cannot send
    /// any.
    ///
    /// ## What makes it fail
    /// One of the paths is not routed to the homeserver, is answered with a page, or without
    /// asking for a token; authenticated media are announced and not there. How large a file may
    /// be is told only to those who are logged in: `canary.media` and `ingress.upload_limit` look
    /// at that.
    ///
    /// ## How to fix it
    /// Route both `/_matrix/client` and `/_matrix/media` to Service `synapse:8008` (or to the media
    /// worker, both of them), and take caches off these paths.
    ///
    /// ## Where it comes from
    /// Matrix client-server API v1.11, "Content repository"; MSC3916.
    "synapse.media_config" at P: "media ask for a token, and are there"
    causes [
        "authenticated-media-missing",
        "homeserver-path-not-routed",
        "errors-replaced",
        "token-not-asked-for",
        "error-shape-wrong",
    ]
    timeout 40
    attempts 2
}

const fn get(name: &'static str, path: &'static str, want: Want) -> Case {
    Case { name, method: "GET", path, body: None, want }
}

/// What is asked; the upload is refused before anything is kept.
pub(super) const CASES: &[Case] = &[
    get("the configuration", "/_matrix/client/v1/media/config", Want::TokenIfThere),
    get("the download", "/_matrix/client/v1/media/download/{server}/mxdoctor", Want::TokenIfThere),
    get("the old configuration", "/_matrix/media/v3/config", Want::TokenIfThere),
    get(
        "the old download",
        "/_matrix/media/v3/download/{server}/mxdoctor",
        Want::Refusal(&[404], "M_NOT_FOUND"),
    ),
    Case {
        name: "the upload",
        method: "POST",
        path: "/_matrix/media/v3/upload",
        body: Some("x"),
        want: Want::Token,
    },
];

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    let versions = cx.fact(Versions).await?;
    let name = &cx.target().server_name;
    let answers = CASES.iter().map(|case| ask::fetch(cx, case.ask(&homeserver, name)));
    let (answers, software) = futures_util::join!(join_all(answers), cx.fact(Software));
    let synapse = software.is_ok_and(|software| software.is_synapse());
    let mut lines = Vec::new();
    let mut seen = Vec::new();
    let mut silent = None;
    for (case, answer) in CASES.iter().zip(answers) {
        match answer {
            Ok(exchange) => {
                lines.push(Evidence::new(EvidenceKind::Request, exchange.last().line()));
                let judged = case.judge(exchange.last(), synapse);
                seen.push((case.name, announced(case, &versions, exchange.last(), judged)));
            }
            Err(by) => silent = silent.or(Some((case.name, by))),
        }
    }
    let finding = conclude(&seen, "media ask for a token");
    let finding = match silent {
        Some((_, by)) if !by.owner.starts_with("ingress.") => return Err(by),
        Some((name, by)) if finding.outcome == Outcome::Pass => {
            Finding::error(format!("{name} could not be asked: {}", by.finding.summary)).transient()
        }
        _ => finding,
    };
    Ok(finding.evidences(lines).into())
}

/// Holds a homeserver to the authenticated media that it announces, and no other.
fn announced(case: &Case, versions: &ClientVersions, answer: &Response, seen: Seen) -> Seen {
    if !case.path.starts_with("/_matrix/client/v1/media/") {
        return seen;
    }
    let unknown = |what: &String| {
        matches!(answer.status.as_u16(), 404 | 405) && what.contains("M_UNRECOGNIZED")
    };
    match seen {
        Seen::Wrong(Wrong { what, .. }) | Seen::Other(what) if unknown(&what) => {
            if has_authenticated_media(versions) {
                let cause = "authenticated-media-missing";
                Seen::Wrong(Wrong { cause, what: format!("{what}, although it is announced") })
            } else {
                Seen::Other("is not there, nor announced".into())
            }
        }
        seen => seen,
    }
}

/// Whether v1.11 or a later version is announced, or the proposal as stable.
pub(crate) fn has_authenticated_media(versions: &ClientVersions) -> bool {
    let minor = |version: &String| version.strip_prefix("v1.")?.parse::<u32>().ok();
    versions.feature("org.matrix.msc3916.stable")
        || versions.versions.iter().filter_map(minor).any(|minor| minor >= 11)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mxdoctor_probes::http::Exchange;

    use super::*;
    use crate::facts::tests::answer;

    fn versions(list: &[&str]) -> ClientVersions {
        let exchange = Exchange { hops: vec![answer(200, &[], "")], redirect_trouble: None };
        ClientVersions {
            versions: list.iter().map(|&version| version.to_owned()).collect(),
            unstable: serde_json::Map::new(),
            exchange: Arc::new(exchange),
        }
    }

    #[test]
    fn who_announces_authenticated_media_is_held_to_it() {
        let json = [("content-type", "application/json")];
        let unknown = r#"{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}"#;
        let unknown = answer(404, &json, unknown);
        let cause = |announces: &[&str], synapse| {
            let judged = CASES[0].judge(&unknown, synapse);
            match announced(&CASES[0], &versions(announces), &unknown, judged) {
                Seen::Wrong(wrong) => Some(wrong.cause),
                _ => None,
            }
        };
        assert_eq!(cause(&["v1.5", "v1.11"], true), Some("authenticated-media-missing"));
        assert_eq!(cause(&["v1.12"], false), Some("authenticated-media-missing"));
        assert_eq!(cause(&["r0.6.1", "v1.5"], false), None);
        assert_eq!(cause(&["r0.6.1", "v1.5"], true), None);
    }
}
