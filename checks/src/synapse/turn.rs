//! `synapse.turn`

use mxdoctor_model::Finding;
use mxdoctor_probes::matrix::client::TurnAnswer;
use mxdoctor_probes::xmpp::Service;

use crate::facts::read_services;
use crate::{Cx, Verdict, canary, check, jitsi};

check! {
    /// ## What it asserts
    /// The TURN servers that the homeserver gives to its people (`voip/turnServer`) give an
    /// allocation to the credentials that come with them, permit a peer, relay datagrams both ways
    /// and let the allocation be refreshed.
    ///
    /// ## Why it matters
    /// Calls of two people go directly, or by these servers. Where they are broken, calls between
    /// most networks ring and stay silent.
    ///
    /// ## How it looks
    /// As `jitsi.turn` does, with the credentials of the synthetic user: it runs under
    /// `--allow canary` only.
    ///
    /// ## What makes it fail
    /// As for `jitsi.turn`: credentials that are refused or out of their time, no answer, a
    /// certificate that clients refuse, nothing relayed. None set up is a skip.
    ///
    /// ## How to fix it
    /// Give homeserver.yaml (`turn_uris`, `turn_shared_secret`, `turn_user_lifetime`) and the TURN
    /// server (`static-auth-secret` with `use-auth-secret`) the same secret; open its port and its
    /// relay ports in the firewall; renew its certificate.
    ///
    /// ## Where it comes from
    /// Matrix client-server API, "Voice over IP"; RFC 7065, RFC 8656; coturn's README.turnserver.
    "synapse.turn" at P: "the homeserver's TURN servers allocate and relay"
    causes [
        "turn-credentials-rejected", "turn-credentials-expired", "turn-unreachable",
        "turn-refuses", "turn-tls-certificate", "turn-relay-broken", "turn-answer-malformed",
        "homeserver-broken", "homeserver-path-not-routed", "no-http-answer",
    ]
    timeout 200
}

const CAUSE: &str = "turn-answer-malformed";

async fn run(cx: &Cx) -> Verdict {
    let day = canary::day(cx, CHECK.id).await?;
    let answer = match &day.turn {
        Ok(answer) => answer,
        Err(error) => {
            let finding = canary::trouble(cx, CAUSE, "asking for TURN servers", error);
            return Ok(finding.expected("200").into());
        }
    };
    if answer.uris.is_empty() {
        let reason = "the homeserver names no TURN server (`turn_uris`): not set up";
        return Ok(Finding::skip(reason).into());
    }
    let offered = read_services(&services(answer));
    if offered.turn.is_empty() {
        let summary = "none of the URIs of `voip/turnServer` is one that clients can use";
        return Ok(Finding::fail(CAUSE, summary)
            .expected("turn:HOST[:PORT][?transport=udp|tcp] or turns:…")
            .actual(answer.uris.join(", "))
            .into());
    }
    jitsi::turn::assess(cx, &offered).await
}

fn services(answer: &TurnAnswer) -> Vec<Service> {
    answer.uris.iter().filter_map(|uri| service(uri, answer)).collect()
}

/// A URI of RFC 7065, or of RFC 7064 for STUN; none where it is not one.
fn service(uri: &str, answer: &TurnAnswer) -> Option<Service> {
    let (kind, rest) = uri.split_once(':')?;
    let kind = kind.to_ascii_lowercase();
    if !matches!(kind.as_str(), "stun" | "stuns" | "turn" | "turns") {
        return None;
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let transport = query.split('&').find_map(|pair| pair.strip_prefix("transport="));
    let (host, port) = match place.rfind(']') {
        Some(end) => (&place[..=end], place[end + 1..].strip_prefix(':')),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_host = !host.is_empty() && !host.contains('/');
    is_host.then(|| Service {
        kind,
        host: host.to_owned(),
        port,
        transport: transport.map(str::to_owned),
        username: Some(answer.username.clone()),
        password: Some(answer.password.clone()),
        expires: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uris: &[&str]) -> Vec<String> {
        let answer = TurnAnswer {
            uris: uris.iter().map(|&uri| uri.to_owned()).collect(),
            username: "1700000000:@a:b".into(),
            password: "secret".into(),
            ttl: 86_400,
        };
        let offered = read_services(&services(&answer));
        offered.turn.iter().map(|turn| turn.server.to_string()).collect()
    }

    #[test]
    fn uris_become_servers() {
        let uris = [
            "turn:turn.example.org?transport=udp",
            "TURN:turn.example.org:80?transport=tcp",
            "turns:turn.example.org:443",
            "stun:turn.example.org",
            "turn:",
            "turn://turn.example.org",
            "turn:turn.example.org:many",
            "https://turn.example.org",
            "nothing",
        ];
        assert_eq!(
            read(&uris),
            [
                "turn:turn.example.org:3478?transport=udp",
                "turn:turn.example.org:80?transport=tcp",
                "turns:turn.example.org:443?transport=tcp",
            ]
        );
        assert_eq!(read(&["turn:[2001:db8::1]:3479"]).len(), 1);
    }
}
