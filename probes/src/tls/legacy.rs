//! A hello that offers nothing newer than TLS 1.1, written by hand: rustls cannot speak it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::alert;
use crate::Net;

/// What a server makes of a hello that offers nothing newer than TLS 1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OldHello {
    /// It answers with that version: old versions are accepted.
    Accepted(String),
    /// It refuses.
    Refused,
    /// Could not be told.
    Unknown(String),
}
/// Suites that servers of that time have in common: ECDHE, DHE and RSA with AES or 3DES in CBC mode.
const SUITES: [u16; 13] = [
    0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033, 0x0035, 0x002f, 0xc008, 0xc012, 0x0016, 0x000a,
    0x00ff,
];

impl Net {
    /// Offers TLS 1.0 and 1.1 only, by a hello written by hand: rustls cannot.
    pub async fn old_hello(&self, name: &str, address: SocketAddr) -> OldHello {
        let dialled = match self.dial(address).await {
            Ok(dialled) => dialled,
            Err(error) => return OldHello::Unknown(error.to_string()),
        };
        let limit = self.config().connect_timeout;
        let mut stream = dialled.stream;
        let asked = async {
            stream.write_all(&hello(name)?).await?;
            read_start(&mut stream).await
        };
        match tokio::time::timeout(limit, asked).await {
            Err(_) => OldHello::Unknown(format!("no answer within {limit:?}")),
            Ok(Ok(start)) => understand(&start),
            // Some close without a word instead of sending an alert.
            Ok(Err(error)) if was_closed(&error) => OldHello::Refused,
            Ok(Err(error)) => OldHello::Unknown(error.to_string()),
        }
    }
}

/// The record's header and as much of what is in it as tells: an alert, or the type, length and
/// version of a server hello. A warning before it is passed over.
async fn read_start(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut start = vec![0; 7];
    stream.read_exact(&mut start).await?;
    if matches!(start[..], [21, 3, _, 0, 2, 1, number] if number != 0) {
        stream.read_exact(&mut start).await?;
    }
    if start[0] == 22 {
        let mut rest = [0; 4];
        stream.read_exact(&mut rest).await?;
        start.extend_from_slice(&rest);
    }
    Ok(start)
}

fn was_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

fn understand(start: &[u8]) -> OldHello {
    match *start {
        // An alert that is about the name, not about the version.
        [21, 3, _, _, _, _, 112, ..] => OldHello::Unknown(alert_text(112)),
        [21, 3, _, _, _, 1, 0, ..] => OldHello::Unknown(alert_text(0)),
        [21, 3, _, _, _, _, _, ..] => OldHello::Refused,
        [22, 3, _, _, _, 2, _, _, _, 3, 2, ..] => OldHello::Accepted("TLSv1.1".into()),
        [22, 3, _, _, _, 2, _, _, _, 3, 1, ..] => OldHello::Accepted("TLSv1.0".into()),
        [22, 3, _, _, _, 2, _, _, _, 3, 0, ..] => OldHello::Accepted("SSLv3".into()),
        _ => OldHello::Unknown("the answer is neither a server hello nor an alert".into()),
    }
}

fn alert_text(number: u8) -> String {
    format!("the server sent the alert {}", alert::name(number))
}

/// A client hello of TLS 1.1 (RFC 4346 section 7.4.1.2) in one record.
fn hello(name: &str) -> io::Result<Vec<u8>> {
    let random = ring::rand::generate::<[u8; 32]>(&ring::rand::SystemRandom::new());
    let random = random.map_err(|_| io::Error::other("no randomness"))?.expose();
    let suites: Vec<u8> = SUITES.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let body = [
        &[3, 2][..],
        &random,
        // No session id; the suites; no compression.
        &[0],
        &long(&suites)?,
        &[1, 0],
        &long(&extensions(name)?)?,
    ]
    .concat();
    let length = u16::try_from(body.len()).map_err(io::Error::other)?;
    let handshake = [&[1, 0][..], &length.to_be_bytes(), &body].concat();
    Ok([&[22, 3, 1][..], &long(&handshake)?].concat())
}

/// Server name (not for an address, RFC 6066 section 3), groups and point formats (RFC 8422).
fn extensions(name: &str) -> io::Result<Vec<u8>> {
    let name = name.trim_end_matches('.');
    let mut extensions = Vec::new();
    if name.trim_matches(['[', ']']).parse::<IpAddr>().is_err() {
        let host = [&[0][..], &long(name.as_bytes())?].concat();
        extensions.extend([&[0, 0][..], &long(&long(&host)?)?].concat());
    }
    let groups = [0, 29, 0, 23, 0, 24, 0, 25];
    extensions.extend([&[0, 10][..], &long(&long(&groups)?)?].concat());
    extensions.extend([0, 11, 0, 2, 1, 0]);
    Ok(extensions)
}

/// Bytes after their length in two bytes.
fn long(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes()[..], bytes].concat())
}
