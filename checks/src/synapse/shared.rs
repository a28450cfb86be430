//! What the checks of the homeserver's client side ask, and how a refusal must look.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use mxdoctor_model::Finding;
use mxdoctor_probes::http::Response;
use serde_json::Value;

use crate::facts::{Ask, Located, Page, classify, gist, is_html};

/// A POST of JSON.
pub(crate) fn post(homeserver: &Located, path: &str, body: &'static str) -> Ask {
    let json = HeaderValue::from_static("application/json");
    Ask::new(Method::POST, homeserver.url(path)).header(CONTENT_TYPE, json).body(body)
}

/// The request that shows whether strangers can register, and makes nothing.
pub(crate) fn registration(homeserver: &Located) -> Ask {
    post(homeserver, "/_matrix/client/v3/register?kind=user", "{}")
}

/// A request without credentials, and what it must come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// In words.
    pub(crate) name: &'static str,
    /// GET, POST, …
    pub(crate) method: &'static str,
    /// `{server}` stands for the server name, percent-encoded.
    pub(crate) path: &'static str,
    /// Body, sent as JSON.
    pub(crate) body: Option<&'static str>,
    /// What must be answered.
    pub(crate) want: Want,
}

/// What a request without credentials must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// 401 `M_MISSING_TOKEN`. Every homeserver has the endpoint.
    Token,
    /// 401 `M_MISSING_TOKEN`, from those that have the endpoint.
    TokenIfThere,
    /// One of the statuses with this error code. Others than Synapse may differ.
    Refusal(&'static [u16], &'static str),
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Id.
    pub(crate) cause: &'static str,
    /// In words, without the request's name.
    pub(crate) what: String,
}

/// What an answer shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// As specified.
    Right,
    /// Another implementation's way, which is not judged.
    Other(String),
    /// Nothing: our rate is limited, or the homeserver has trouble of its own.
    Nothing(String),
    /// Not as specified.
    Wrong(Wrong),
}

impl Case {
    /// The request.
    pub(crate) fn ask(&self, homeserver: &Located, server_name: &str) -> Ask {
        let path = self.path.replace("{server}", &server_name.replace(':', "%3A"));
        match self.body {
            Some(body) => {
                let mut ask = post(homeserver, &path, body);
                ask.method = self.method();
                ask
            }
            None => Ask::new(self.method(), homeserver.url(&path)),
        }
    }

    fn method(&self) -> Method {
        self.method.parse().unwrap_or(Method::GET)
    }

    /// Judges an answer; of software other than Synapse only what every homeserver does the same.
    pub(crate) fn judge(&self, answer: &Response, synapse: bool) -> Seen {
        let status = answer.status.as_u16();
        match self.seen(answer) {
            _ if status == 429 => Seen::Nothing("our rate is limited".into()),
            Seen::Wrong(wrong) if !synapse && !self.binds_all(&wrong) => Seen::Other(wrong.what),
            seen => seen,
        }
    }

    /// Whether no implementation at all answers like that by itself.
    fn binds_all(&self, wrong: &Wrong) -> bool {
        self.want == Want::Token && wrong.cause != "error-shape-wrong"
    }

    fn seen(&self, answer: &Response) -> Seen {
        let status = answer.status.as_u16();
        let wrong = |cause, what| Seen::Wrong(Wrong { cause, what });
        let token = matches!(self.want, Want::Token | Want::TokenIfThere);
        if token && answer.status.is_success() {
            let what = format!("is answered with {status} although no token was sent");
            return wrong("token-not-asked-for", what);
        }
        let Some((errcode, whole)) = refusal(answer) else {
            return match self.want {
                _ if status >= 500 && classify(answer).is_none() => Seen::Nothing(gist(answer)),
                _ if token && is_unrouted(answer) => {
                    wrong("homeserver-path-not-routed", gist(answer))
                }
                _ => wrong("errors-replaced", gist(answer)),
            };
        };
        if status >= 500 {
            return Seen::Nothing(gist(answer));
        }
        let (statuses, code): (&[u16], _) = match self.want {
            Want::Token | Want::TokenIfThere => (&[401, 403], "M_MISSING_TOKEN"),
            Want::Refusal(statuses, code) => (statuses, code),
        };
        let what = format!("is answered with {status} {errcode}, not with {} {code}", statuses[0]);
        if errcode == "M_UNRECOGNIZED" && code != errcode {
            // Its own word for an endpoint that it does not have.
            return match self.want {
                Want::Refusal(..) => wrong("error-shape-wrong", what),
                _ => wrong("homeserver-path-not-routed", what),
            };
        }
        if !statuses.contains(&status) || errcode != code {
            return wrong("error-shape-wrong", what);
        }
        match whole {
            Ok(()) => Seen::Right,
            Err(lack) => wrong("error-shape-wrong", lack),
        }
    }
}

/// Whether somebody before the homeserver has no rule for the path.
pub(crate) fn is_unrouted(answer: &Response) -> bool {
    matches!(answer.status.as_u16(), 404 | 405)
        || matches!(classify(answer), Some(Page::NotRouted(_)))
}

/// The error code of a refusal as the specification has it, and what it lacks; none where the
/// answer is not a homeserver's at all (Matrix client-server API, "Standard error response").
fn refusal(answer: &Response) -> Option<(String, Result<(), String>)> {
    if is_html(&answer.body) {
        return None;
    }
    let document: Value = serde_json::from_slice(&answer.body).ok()?;
    let errcode = document.get("errcode")?.as_str()?.to_owned();
    let json = answer.header("content-type").is_some_and(|kind| {
        kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    });
    let whole = if !document.get("error").is_some_and(Value::is_string) {
        Err("carries no `error` text".to_owned())
    } else if !json {
        let kind = answer.header("content-type").unwrap_or("nothing");
        Err(format!("is JSON and says that it is {kind}"))
    } else {
        Ok(())
    };
    Some((errcode, whole))
}

/// One finding of several answers, the gravest cause first.
pub(crate) fn conclude(seen: &[(&'static str, Seen)], summary: &str) -> Finding {
    const ORDER: &[&str] = &[
        "token-not-asked-for",
        "errors-replaced",
        "homeserver-path-not-routed",
        "authenticated-media-missing",
        "error-shape-wrong",
    ];
    let wrong = |cause: &str| -> Vec<String> {
        let one = |(name, seen): &(&'static str, Seen)| match seen {
            Seen::Wrong(wrong) if wrong.cause == cause => Some(format!("{name} {}", wrong.what)),
            _ => None,
        };
        seen.iter().filter_map(one).collect()
    };
    for cause in ORDER {
        let all = wrong(cause);
        let Some(first) = all.first() else { continue };
        let more = match all.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let text = format!("{first}{more}");
        let finding = match *cause {
            "error-shape-wrong" => Finding::warn(cause, text),
            cause => Finding::fail(cause, text),
        };
        return finding
            .expected("401 M_MISSING_TOKEN and the like, as JSON with `errcode` and `error`")
            .actual(all.join("; "));
    }
    let judged = seen.iter().filter(|(_, seen)| *seen == Seen::Right).count();
    let other = seen.iter().any(|(_, seen)| matches!(seen, Seen::Other(_)));
    let nothing = seen.iter().find_map(|(name, seen)| match seen {
        Seen::Nothing(why) => Some(format!("{name}: {why}")),
        _ => None,
    });
    match nothing {
        Some(why) if judged == 0 && !other => {
            Finding::error(format!("nothing could be judged: {why}")).transient()
        }
        Some(why) => Finding::pass(format!("{summary} ({judged} answers; not judged: {why})")),
        None if other => Finding::pass(format!(
            "{summary} ({judged} of {} answers as specified, the others in its own way)",
            seen.len()
        )),
        None => Finding::pass(format!("{summary} ({judged} answers)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::answer;

    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
    const SYNC: Case = Case {
        name: "sync",
        method: "GET",
        path: "/_matrix/client/v3/sync",
        body: None,
        want: Want::Token,
    };

    fn case(want: Want) -> Case {
        Case { want, ..SYNC }
    }

    fn cause(case: Case, synapse: bool, answer: &Response) -> Option<&'static str> {
        match case.judge(answer, synapse) {
            Seen::Wrong(wrong) => Some(wrong.cause),
            _ => None,
        }
    }

    #[test]
    fn what_synapse_says_is_right() {
        let missing = r#"{"errcode":"M_MISSING_TOKEN","error":"Missing access token"}"#;
        assert_eq!(SYNC.judge(&answer(401, JSON, missing), true), Seen::Right);
        let limited = r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests"}"#;
        assert!(matches!(SYNC.judge(&answer(429, JSON, limited), true), Seen::Nothing(_)));
        assert!(matches!(SYNC.judge(&answer(500, &[], "oops"), true), Seen::Nothing(_)));
    }

    #[test]
    fn each_way_to_be_wrong_has_its_cause() {
        let html = "<html><h1>404</h1></html>";
        let unrecognized = r#"{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}"#;
        let missing = r#"{"errcode":"M_MISSING_TOKEN"}"#;
        for (case, status, headers, body, wanted) in [
            (SYNC, 200, JSON, "{}", "token-not-asked-for"),
            (SYNC, 404, &[], html, "homeserver-path-not-routed"),
            (SYNC, 404, JSON, unrecognized, "homeserver-path-not-routed"),
            (SYNC, 401, &[], html, "errors-replaced"),
            (SYNC, 401, &[], "", "errors-replaced"),
            (SYNC, 401, JSON, missing, "error-shape-wrong"),
            (SYNC, 401, &[], r#"{"errcode":"M_MISSING_TOKEN","error":"x"}"#, "error-shape-wrong"),
        ] {
            let answer = answer(status, headers, body);
            assert_eq!(cause(case, true, &answer), Some(wanted), "{status} {body}");
        }
    }

    #[test]
    fn others_are_held_to_what_all_do() {
        let unrecognized = r#"{"errcode":"M_UNRECOGNIZED","error":"M_UNRECOGNIZED"}"#;
        let nope = case(Want::Refusal(&[404], "M_UNRECOGNIZED"));
        assert_eq!(cause(nope, false, &answer(404, &[], "404 page not found\n")), None);
        assert_eq!(cause(case(Want::TokenIfThere), false, &answer(404, JSON, unrecognized)), None);
        let guest = answer(401, JSON, r#"{"errcode":"M_UNAUTHORIZED","error":"x"}"#);
        assert_eq!(cause(SYNC, false, &guest), None);
        let html = answer(404, &[], "<html>");
        assert_eq!(cause(SYNC, false, &html), Some("homeserver-path-not-routed"));
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic(status in 200_u16..600, body: String) {
            let answer = answer(status, JSON, &body);
            for want in [Want::Token, Want::TokenIfThere, Want::Refusal(&[404], "M_NOT_FOUND")] {
                let _ = case(want).judge(&answer, status % 2 == 0);
            }
        }
    }
}
