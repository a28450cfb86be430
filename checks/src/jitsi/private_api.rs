//! `jitsi.private_api`

use mxdoctor_model::{Evidence, EvidenceKind, Finding};
use mxdoctor_probes::http::Response;

use crate::facts::{Exposure, Looked, PrivatePorts, Said};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The private ports of Jitsi's parts are closed to the outside: the bridge's REST interface
    /// (8080, and 9090), Jicofo's (8888), Prosody's web server (5280) and XMPP (5222, 5223, 5269,
    /// 5347), on the addresses of the bridge's node.
    ///
    /// ## Why it matters
    /// The jvb container listens at 8080 on all addresses and asks nobody who he is. With
    /// `hostNetwork` that is the internet: anybody sees rooms and participants at `/debug`, and
    /// takes the bridge out of service with one request. Open XMPP ports let strangers try
    /// passwords of the focus and the bridges.
    ///
    /// ## How it looks
    /// It connects, reads `/about/version` or `/http-bind`, or begins an XMPP stream; it changes
    /// nothing. The node's addresses are `jitsi.node`, else what the bridge advertises, else those
    /// of the Jitsi host.
    ///
    /// ## What makes it fail
    /// The bridge or Jicofo says its version. An XMPP port that speaks XMPP and Prosody's web
    /// server are a warning. A port that something else listens at is no matter.
    ///
    /// ## How to fix it
    /// Close the ports in the firewall of the node; or bind the bridge's to loopback in
    /// `custom-jvb.conf` (`videobridge.http-servers.private.host = 127.0.0.1`) and use exec probes.
    ///
    /// ## Where it comes from
    /// jitsi-videobridge, `doc/rest.md`; docker-jitsi-meet, `jvb.conf`.
    "jitsi.private_api" at P: "private ports of bridge, focus and XMPP are closed to the world"
    causes ["bridge-api-public", "focus-api-public", "xmpp-ports-public"]
    timeout 70
}

async fn run(cx: &Cx) -> Verdict {
    let exposure = cx.fact(PrivatePorts).await?;
    Ok(judge(&exposure).into_iter().collect())
}

/// A finding for each cause; one where all is closed.
fn judge(exposure: &Exposure) -> Vec<Finding> {
    let evidence = || exposure.looked.iter().map(line);
    let mut findings = Vec::new();
    for (cause, summary) in [
        ("bridge-api-public", "the bridge's private REST interface answers from outside"),
        ("focus-api-public", "Jicofo's REST interface answers from outside"),
        ("xmpp-ports-public", "Prosody's own ports answer from outside"),
    ] {
        let places: Vec<String> = exposure
            .looked
            .iter()
            .filter(|looked| exposed(looked) == Some(cause))
            .map(|looked| format!("{} ({})", looked.address, looked.port.part))
            .collect();
        if places.is_empty() {
            continue;
        }
        let finding = if cause == "xmpp-ports-public" {
            Finding::warn(cause, summary)
        } else {
            Finding::fail(cause, summary)
        };
        findings.push(
            finding
                .on(cause)
                .expected("closed ports")
                .actual(format!("{} open", places.join(", "))),
        );
    }
    if findings.is_empty() {
        findings.push(closed(exposure));
    }
    findings.into_iter().map(|finding| finding.evidences(evidence())).collect()
}

fn closed(exposure: &Exposure) -> Finding {
    let unknown = exposure.looked.iter().find_map(|looked| match &looked.said {
        Said::Ours(why) => Some(format!("{} cannot be looked at: {why}", looked.address)),
        _ => None,
    });
    let count = exposure.looked.len();
    match unknown {
        Some(why) => Finding::error(why),
        None => Finding::pass(format!(
            "none of {count} private ports answers for a part of Jitsi (addresses of {})",
            exposure.source
        )),
    }
}

/// The cause that an answer stands for.
fn exposed(looked: &Looked) -> Option<&'static str> {
    match &looked.said {
        Said::Http(answer) if looked.port.port == 5280 => {
            let text = answer.text();
            let prosodys = ["BOSH", "Prosody", "prosody"].iter().any(|word| text.contains(word));
            (answer.status.as_u16() == 200 && prosodys).then_some("xmpp-ports-public")
        }
        Said::Http(answer) => {
            let name = version_of(answer)?;
            let focus = looked.port.port == 8888 || name.to_lowercase().contains("jicofo");
            Some(if focus { "focus-api-public" } else { "bridge-api-public" })
        }
        Said::Bytes(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let xmpp = text.contains("http://etherx.jabber.org/streams");
            xmpp.then_some("xmpp-ports-public")
        }
        Said::Open | Said::Closed(_) | Said::Ours(_) => None,
    }
}

/// The name in `{"name":"JVB","version":"2.3-…","os":"Linux"}`.
fn version_of(answer: &Response) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let both = answer.status.as_u16() == 200 && json.get("version")?.is_string();
    both.then(|| json.get("name")?.as_str().map(str::to_owned)).flatten()
}

fn line(looked: &Looked) -> Evidence {
    let Looked { address, said, .. } = looked;
    match said {
        Said::Http(answer) => Evidence::new(EvidenceKind::Request, answer.line()),
        Said::Bytes(bytes) if bytes.is_empty() => {
            Evidence::new(EvidenceKind::Connection, format!("{address}: open, says nothing"))
        }
        Said::Bytes(bytes) => {
            let start = bytes[..bytes.len().min(80)].escape_ascii();
            Evidence::new(EvidenceKind::Connection, format!("{address}: open, says {start}"))
        }
        Said::Open => Evidence::new(EvidenceKind::Connection, format!("{address}: open, not HTTP")),
        Said::Closed(why) | Said::Ours(why) => {
            Evidence::new(EvidenceKind::Connection, format!("{address}: {why}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use mxdoctor_model::Outcome;

    use super::*;
    use crate::facts::PRIVATE_PORTS;
    use crate::facts::tests::answer;

    fn looked(port: u16, said: Said) -> Looked {
        let port = PRIVATE_PORTS.into_iter().find(|known| known.port == port).expect("a port");
        Looked { address: ([198, 51, 100, 20], port.port).into(), port, said }
    }

    fn judged(said: &[(u16, Said)]) -> Vec<(Outcome, Option<&'static str>)> {
        let looked = said.iter().map(|(port, said)| looked(*port, said.clone())).collect();
        let findings = judge(&Exposure { source: "jitsi.node", looked });
        findings.iter().map(|finding| (finding.outcome, finding.cause)).collect()
    }

    fn http(status: u16, body: &str) -> Said {
        Said::Http(Box::new(answer(status, &[], body)))
    }

    #[test]
    fn what_answers_for_a_part_is_told_by_its_words() {
        use Outcome::{Fail, Pass, Warn};
        let jvb = r#"{"name":"JVB","version":"2.3-242-g5fd5c8d0","os":"Linux"}"#;
        let jicofo = r#"{"name":"Jicofo","version":"1.1-SNAPSHOT","os":"Linux"}"#;
        let stream = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams' id='x'>";
        let bosh = "<title>Prosody BOSH endpoint</title> It works!";
        let xmpp = Some("xmpp-ports-public");
        for (said, verdict) in [
            (vec![(8080, http(200, jvb))], vec![(Fail, Some("bridge-api-public"))]),
            (vec![(9090, http(200, jvb))], vec![(Fail, Some("bridge-api-public"))]),
            (vec![(8888, http(200, jicofo))], vec![(Fail, Some("focus-api-public"))]),
            (vec![(5280, http(200, bosh))], vec![(Warn, xmpp)]),
            (vec![(5222, Said::Bytes(stream.into()))], vec![(Warn, xmpp)]),
            (
                vec![(8080, http(200, jvb)), (5269, Said::Bytes(stream.into()))],
                vec![(Fail, Some("bridge-api-public")), (Warn, xmpp)],
            ),
            (vec![(8080, http(200, "<html>a page</html>"))], vec![(Pass, None)]),
            (vec![(8080, http(404, jvb))], vec![(Pass, None)]),
            (vec![(8080, Said::Open), (5222, Said::Bytes(b"SSH-2.0".into()))], vec![(Pass, None)]),
            (vec![(8080, Said::Closed("connection refused".into()))], vec![(Pass, None)]),
            (vec![(8080, Said::Ours("no files".into()))], vec![(Outcome::Error, None)]),
        ] {
            assert_eq!(judged(&said), verdict, "{said:?}");
        }
    }
}
