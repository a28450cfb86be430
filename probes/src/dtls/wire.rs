//! What can be read of DTLS in the clear: records, versions and alerts.

/// Whether the datagram looks like DTLS (RFC 7983: first byte 20 to 63).
pub fn looks_like_dtls(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| (20..64).contains(first))
}

/// Bytes of a record before its body (RFC 6347 section 4.1).
const HEADER: usize = 13;

/// The whole records of a datagram: content type, epoch and body.
pub(super) fn records(datagram: &[u8]) -> impl Iterator<Item = (u8, u16, &[u8])> {
    whole(datagram).map(|record| (record[0], epoch(record), &record[HEADER..]))
}

/// The same with their headers.
pub(super) fn whole_records(datagram: &[u8]) -> impl Iterator<Item = (u8, u16, &[u8])> {
    whole(datagram).map(|record| (record[0], epoch(record), record))
}

fn whole(mut datagram: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let header = datagram.get(..HEADER)?;
        let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
        let (record, rest) = datagram.split_at_checked(HEADER + length)?;
        datagram = rest;
        Some(record)
    })
}

fn epoch(record: &[u8]) -> u16 {
    u16::from_be_bytes([record[3], record[4]])
}

/// What of a datagram may be taken in. A record that is cut off or that nobody sends in the clear
/// is left out, as RFC 6347 section 4.1.2.7 has it: else anybody who knows the address could end a
/// handshake by it. `most` protected ones are kept, which wait where they come before the keys.
pub(super) fn acceptable(datagram: &[u8], most: usize) -> (Vec<u8>, usize) {
    let mut kept = Vec::with_capacity(datagram.len());
    let mut protected = 0;
    for record in whole(datagram) {
        let body = &record[HEADER..];
        let fits = match (record[0], epoch(record)) {
            (20, 0) => body == [1],
            (21, 0) => matches!(body, [1 | 2, _]),
            (22, 0) => body.len() >= 12,
            (20..=23, 1..) => {
                protected += 1;
                protected <= most && !body.is_empty()
            }
            _ => false,
        };
        if fits {
            kept.extend_from_slice(record);
        }
    }
    (kept, protected)
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
