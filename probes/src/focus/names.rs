//! What a probe calls itself and its room.

use ring::rand::{SecureRandom as _, SystemRandom};

/// A room name that nobody guesses, and that tells where it comes from.
pub fn room_name() -> String {
    format!("mxdoctor-{}", hex::<16>())
}

/// What Jicofo wants to know a browser by: 32 hexadecimal digits.
pub fn machine_uid() -> String {
    hex::<16>()
}

/// The endpoint's id, which is the nick in the room: the first eight characters of an anonymous
/// address (a UUID), as browsers do it and some servers demand; else random ones, for two guests
/// may have logged in as the same user.
pub fn endpoint_id(jid: &str) -> String {
    let node = jid.split('@').next().unwrap_or_default();
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    match node.split_once('-') {
        Some((start, rest)) if start.len() == 8 && rest.len() == 27 => {
            let fits = start.as_bytes().iter().all(is_digit);
            if fits { start.to_ascii_lowercase() } else { hex::<4>() }
        }
        _ => hex::<4>(),
    }
}

fn hex<const N: usize>() -> String {
    let mut bytes = [0_u8; N];
    // A machine without randomness makes no TLS either: no name is made in vain.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What to answer when the focus asks what we can do: audio (and video), one data channel, and
/// plain sources, so that every stream keeps its own SSRC.
pub fn features(video: bool) -> Vec<&'static str> {
    let mut features = vec![
        "http://jabber.org/protocol/disco#info",
        "urn:xmpp:jingle:1",
        "urn:xmpp:jingle:apps:rtp:1",
        "urn:xmpp:jingle:transports:ice-udp:1",
        "urn:xmpp:jingle:apps:dtls:0",
        "urn:xmpp:jingle:apps:rtp:audio",
        "urn:xmpp:jingle:transports:dtls-sctp:1",
        "urn:ietf:rfc:5888",
        "urn:ietf:rfc:5761",
        "http://jitsi.org/source-name",
    ];
    if video {
        features.push("urn:xmpp:jingle:apps:rtp:video");
        features.push("http://jitsi.org/receive-multiple-video-streams");
    }
    features
}
