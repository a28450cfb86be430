//! `federation.server_name`

use mxdoctor_model::Finding;
use mxdoctor_probes::matrix::ServerName;

use crate::facts::{ServerKeys, another, server_name};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The server name is valid by the specification's grammar, and the homeserver calls itself so
    /// in its key document.
    ///
    /// ## Why it matters
    /// The server name is the part of user ids after the colon. It is not the host of the
    /// homeserver: `testing.borooka.ee` is served by `matrix.testing.borooka.ee`. A server that is
    /// addressed by another name than its own is refused by every other server.
    ///
    /// ## What makes it fail
    /// - A scheme, a path, an underscore, white space or an unusable port in the name.
    /// - The key document bears another server name. Mostly the delegated host was typed where the
    ///   server name belongs; else `server_name` in `homeserver.yaml` is wrong.
    ///
    /// It warns of upper-case letters: names are compared case-sensitively.
    ///
    /// ## How to fix it
    /// Check the name after the colon of a user id. `server_name` cannot be changed once there are
    /// users: other servers would take it for a new server.
    ///
    /// ## Where it comes from
    /// Matrix appendices, "Server Name"; server-server API, "Retrieving server keys".
    "federation.server_name" at P: "the server name is valid and the homeserver's own"
    causes ["server-name-invalid", "server-name-is-another", "server-name-upper-case"]
    timeout 60
}

async fn run(cx: &Cx) -> Verdict {
    let name = server_name(cx)?;
    let samples = cx.fact(ServerKeys).await?;
    let said = samples.iter().filter_map(|sample| sample.document.as_ref().ok());
    let said: Vec<&str> = said.filter_map(|document| document.server_name.as_deref()).collect();
    if let Some(other) = said.iter().find(|said| **said != name.text) {
        return Err(another(&name, other));
    }
    Ok(judge(&name, !said.is_empty()).into())
}

fn judge(name: &ServerName, said: bool) -> Finding {
    if name.has_upper_case() {
        return Finding::warn(
            "server-name-upper-case",
            format!("{name} has upper-case letters: it is another name than its lower-case form"),
        );
    }
    if !said {
        return Finding::error(format!("{name} is valid, and the key document names no server"));
    }
    Finding::pass(format!("{name} is valid, and the homeserver calls itself so"))
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;

    #[test]
    fn upper_case_is_a_warning() {
        let name = |text: &str| text.parse::<ServerName>().expect("valid");
        assert_eq!(judge(&name("Example.org"), true).outcome, Outcome::Warn);
        assert_eq!(judge(&name("example.org"), true).outcome, Outcome::Pass);
        assert_eq!(judge(&name("example.org"), false).outcome, Outcome::Error);
    }
}
