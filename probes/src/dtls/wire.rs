//! What can be read of DTLS in the clear: records, versions and alerts.

/// Whether the datagram looks like DTLS (RFC 7983: first byte 20 to 63).
pub fn looks_like_dtls(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| (20..64).contains(first))
}

/// The records of a datagram: content type, epoch and body.
pub(super) fn records(datagram: &[u8]) -> impl Iterator<Item = (u8, u16, &[u8])> {
    whole_records(datagram).map(|(kind, epoch, record)| (kind, epoch, &record[13..]))
}

/// The same with their headers, of 13 bytes.
pub(super) fn whole_records(mut datagram: &[u8]) -> impl Iterator<Item = (u8, u16, &[u8])> {
    std::iter::from_fn(move || {
        let header = datagram.get(..13)?;
        let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let (record, rest) = datagram.split_at_checked(13 + length)?;
        datagram = rest;
        Some((record[0], u16::from_be_bytes([record[3], record[4]]), record))
    })
}

pub(super) fn version_name((major, minor): (u8, u8)) -> String {
    match (major, minor) {
        (254, 253) => "DTLSv1.2".into(),
        (254, 255) => "DTLSv1.0".into(),
        (254, 252) => "DTLSv1.3".into(),
        _ => format!("{major}.{minor}"),
    }
}

pub(super) fn alert_name(description: u8) -> String {
    match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        other => return format!("number {other}"),
    }
    .into()
}
