//! `synapse.error_shapes`.

use futures_util::future::join_all;
use http::Method;
use mxdoctor_model::{Evidence, EvidenceKind, Finding, Outcome};
use mxdoctor_probes::http::Response;

use super::shared::{Case, Seen, Want, Wrong, conclude};
use crate::facts::{Ask, ClientVersions, Homeserver, Software, Versions, ask};
use crate::{Cx, Verdict, check};

check! {
    /// What the homeserver refuses, it refuses in the specified way, all the way to the client.
    ///
    /// ## What it asserts
    /// Requests without credentials to every part of the client side (sync, sliding sync, keys,
    /// capabilities, TURN), to endpoints that nobody has, with methods that are not permitted, and
    /// with a body that is not JSON, are answered by the homeserver itself: with the specified
    /// status, as `application/json`, with
    /// `errcode` and `error`. `HEAD` is answered as `GET`, without a body.
    ///
    /// ## Why it matters
    /// Clients act on `errcode`: whether to log out, to wait, to use another way. A page in its
    /// place leaves them retrying for ever. A part that is not routed to the homeserver shows as
    /// one feature that "does not work".
    ///
    /// ## What makes it fail
    /// - fail: a page or an empty answer where the homeserver's error belongs; a part of the client
    ///   side that is not routed to it; an answer without a token that needs one.
    /// - warn: another status or error code than Synapse has for it, no `error`, another content
    ///   type.
    ///
    /// Other homeservers than Synapse are held only to what all of them do. Answers that are
    /// limited (429) are not judged here.
    ///
    /// ## How to fix it
    /// Route all of `/_matrix` to Service `synapse:8008` with the path as it came; remove error
    /// pages (`errors` middleware, `proxy_intercept_errors`, custom pages at the edge) and caches
    /// from that route.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "API Standards" (standard error response, common error codes),
    /// "Using access tokens"; MSC3743; MSC4186.
    "synapse.error_shapes" at P: "refusals have the specified shape, on every part"
    causes [
        "errors-replaced",
        "homeserver-path-not-routed",
        "token-not-asked-for",
        "error-shape-wrong",
    ]
    timeout 40
    attempts 2
}

const fn get(name: &'static str, path: &'static str, want: Want) -> Case {
    Case { name, method: "GET", path, body: None, want }
}

const fn post(name: &'static str, path: &'static str, body: &'static str, want: Want) -> Case {
    Case { name, method: "POST", path, body: Some(body), want }
}

const UNKNOWN: Want = Want::Refusal(&[404], "M_UNRECOGNIZED");
const METHOD: Want = Want::Refusal(&[405, 404], "M_UNRECOGNIZED");

const SLIDING: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

/// What is asked; nothing of it changes anything.
pub(super) const CASES: &[Case] = &[
    get("sync", "/_matrix/client/v3/sync", Want::Token),
    get("capabilities", "/_matrix/client/v3/capabilities", Want::Token),
    post("the query for keys", "/_matrix/client/v3/keys/query", "{}", Want::Token),
    get("turnServer", "/_matrix/client/v3/voip/turnServer", Want::TokenIfThere),
    post("sliding sync", SLIDING, "{}", Want::TokenIfThere),
    get("an endpoint that nobody has", "/_matrix/client/v3/mxdoctor", UNKNOWN),
    get("an API that nobody has", "/_matrix/mxdoctor", UNKNOWN),
    post("versions by POST", "/_matrix/client/versions", "{}", METHOD),
    Case {
        name: "login by DELETE",
        method: "DELETE",
        path: "/_matrix/client/v3/login",
        body: None,
        want: METHOD,
    },
    post(
        "login with no JSON",
        "/_matrix/client/v3/login",
        "x",
        Want::Refusal(&[400], "M_NOT_JSON"),
    ),
];

async fn run(cx: &Cx) -> Verdict {
    let homeserver = cx.fact(Homeserver).await?;
    let versions = cx.fact(Versions).await?;
    let name = &cx.target().server_name;
    let head = Ask::new(Method::HEAD, homeserver.url("/_matrix/client/versions"));
    let asked: Vec<&Case> = CASES.iter().filter(|case| is_announced(case, &versions)).collect();
    let answers = asked.iter().map(|case| ask::fetch(cx, case.ask(&homeserver, name)));
    let (answers, head, software) =
        futures_util::join!(join_all(answers), ask::fetch(cx, head), cx.fact(Software));
    let synapse = software.is_ok_and(|software| software.is_synapse());
    let mut lines = Vec::new();
    let mut seen = Vec::new();
    let mut silent = None;
    for (case, answer) in asked.into_iter().zip(answers) {
        match answer {
            Ok(exchange) => {
                lines.push(Evidence::new(EvidenceKind::Request, exchange.last().line()));
                seen.push((case.name, case.judge(exchange.last(), synapse)));
            }
            Err(by) => silent = silent.or(Some((case.name, by))),
        }
    }
    match head {
        Ok(exchange) => seen.push(("versions by HEAD", judge_head(exchange.last(), synapse))),
        Err(by) => silent = silent.or(Some(("versions by HEAD", by))),
    }
    let finding = conclude(&seen, "refusals have the specified shape");
    let finding = match silent {
        Some((_, by)) if !by.owner.starts_with("ingress.") => return Err(by),
        Some((name, by)) if finding.outcome == Outcome::Pass => {
            Finding::error(format!("{name} could not be asked: {}", by.finding.summary)).transient()
        }
        _ => finding,
    };
    Ok(finding.evidences(lines).into())
}

/// Sliding sync is asked for where it is announced.
fn is_announced(case: &Case, versions: &ClientVersions) -> bool {
    case.path != SLIDING || versions.feature("org.matrix.simplified_msc3575")
}

fn judge_head(answer: &Response, synapse: bool) -> Seen {
    let status = answer.status.as_u16();
    if answer.status.is_success() && answer.body.is_empty() {
        return Seen::Right;
    }
    if status == 429 || status >= 500 {
        return Seen::Nothing(format!("is answered with {status}"));
    }
    let what = format!("is answered with {status}, not as GET");
    if synapse {
        Seen::Wrong(Wrong { cause: "error-shape-wrong", what })
    } else {
        Seen::Other(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    #[test]
    fn head_is_answered_as_get() {
        assert_eq!(judge_head(&answer(200, &[], ""), true), Seen::Right);
        assert!(matches!(judge_head(&answer(405, &[], ""), true), Seen::Wrong(_)));
        assert!(matches!(judge_head(&answer(405, &[], ""), false), Seen::Other(_)));
        assert!(matches!(judge_head(&answer(502, &[], ""), true), Seen::Nothing(_)));
    }
}
