//! The OCSP response that a server staples to its handshake (RFC 6960, RFC 6066 section 8).

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// Single responses of one stapled response that are looked at.
const MOST_RESPONSES: usize = 64;

/// What a stapled response says of the leaf. Its signature is not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staple {
    /// The status.
    pub status: StapleStatus,
    /// Unix seconds from which on it is known to be right.
    pub this_update: i64,
    /// Unix seconds until which it may be used, where it says so.
    pub next_update: Option<i64>,
}

/// What an authority says of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StapleStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// The authority does not know it.
    Unknown,
}

/// Reads a response.
///
/// # Errors
/// What keeps it from being of use: it is not readable, the responder says that it has no answer,
/// or it is about other certificates.
pub(super) fn read(response: &[u8], leaf: &[u8]) -> Result<Staple, String> {
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| "the leaf is not readable")?;
    let serial = significant(leaf.raw_serial()).to_vec();
    let unreadable = || "it is not readable".to_owned();
    let (status, responses) = responses(response).ok_or_else(unreadable)?;
    if status != 0 {
        return Err(format!("the responder has no answer ({})", failure(status)));
    }
    let mut rest = responses.ok_or_else(unreadable)?;
    for _ in 0..MOST_RESPONSES {
        if rest.is_empty() {
            break;
        }
        let (single, others) = take(rest, SEQUENCE).ok_or_else(unreadable)?;
        let (about, staple) = single_response(single).ok_or_else(unreadable)?;
        if significant(about) == serial {
            return Ok(staple);
        }
        rest = others;
    }
    Err("it is about another certificate".into())
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;
const TIME: u8 = 0x18;
/// `[n]`, constructed.
const CONTEXT: u8 = 0xa0;

/// The responder's status, and its list of single responses.
fn responses(response: &[u8]) -> Option<(u8, Option<&[u8]>)> {
    let (body, _) = take(response, SEQUENCE)?;
    let (status, rest) = take(body, ENUMERATED)?;
    let status = *status.first()?;
    Some((status, basic(rest)))
}

fn basic(rest: &[u8]) -> Option<&[u8]> {
    let (bytes, _) = take(rest, CONTEXT)?;
    let (bytes, _) = take(bytes, SEQUENCE)?;
    let (_, bytes) = take(bytes, OID)?;
    let (basic, _) = take(bytes, OCTETS)?;
    let (basic, _) = take(basic, SEQUENCE)?;
    let (data, _) = take(basic, SEQUENCE)?;
    // An optional version, the responder by name or key, and when it was made.
    let data = take(data, CONTEXT)
        .filter(|(inner, _)| inner.first() == Some(&INTEGER))
        .map_or(data, |(_, rest)| rest);
    let (_, _, data) = any(data)?;
    let (_, data) = take(data, TIME)?;
    take(data, SEQUENCE).map(|(list, _)| list)
}

/// Which serial number a single response is about, and what it says.
fn single_response(single: &[u8]) -> Option<(&[u8], Staple)> {
    let (id, rest) = take(single, SEQUENCE)?;
    let (_, id) = take(id, SEQUENCE)?;
    let (_, id) = take(id, OCTETS)?;
    let (_, id) = take(id, OCTETS)?;
    let (serial, _) = take(id, INTEGER)?;
    let (tag, _, rest) = any(rest)?;
    let status = match tag & 0x1f {
        0 => StapleStatus::Good,
        1 => StapleStatus::Revoked,
        _ => StapleStatus::Unknown,
    };
    let (this_update, rest) = take(rest, TIME)?;
    let next = take(rest, CONTEXT).and_then(|(inner, _)| take(inner, TIME));
    let staple = Staple {
        status,
        this_update: time(this_update)?,
        next_update: next.and_then(|(next, _)| time(next)),
    };
    Some((serial, staple))
}

/// The content of the element with that tag at the start, and what follows it.
fn take(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = any(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// The element at the start in DER (X.690): its tag, its content, and what follows it.
fn any(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A number without its leading zeros.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// `GeneralizedTime` as RFC 5280 section 4.1.2.5.2 restricts it, in Unix seconds.
fn time(text: &[u8]) -> Option<i64> {
    let digits = text.strip_suffix(b"Z")?.get(..14)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |from: usize, to: usize| {
        digits[from..to].iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days from the epoch, years beginning in March so that leap days come last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let seconds = number(8, 10) * 3600 + number(10, 12) * 60 + number(12, 14);
    Some((days - 719_468) * 86_400 + seconds)
}

/// `OCSPResponseStatus`.
fn failure(status: u8) -> &'static str {
    match status {
        1 => "malformed request",
        2 => "internal error",
        3 => "try later",
        5 => "signature required",
        6 => "unauthorized",
        _ => "unknown status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element in DER.
    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let mut all = vec![tag];
        match u8::try_from(content.len()) {
            Ok(length @ 0..0x80) => all.push(length),
            Ok(length) => all.extend([0x81, length]),
            Err(_) => {
                all.push(0x82);
                all.extend(u16::try_from(content.len()).expect("short").to_be_bytes());
            }
        }
        all.extend(content);
        all
    }

    fn response(serial: &[u8], status: &[u8]) -> Vec<u8> {
        let algorithm = element(SEQUENCE, &[&element(OID, &[&[0x2b, 14, 3, 2, 26]])]);
        let hash = element(OCTETS, &[&[7; 20]]);
        let id = element(SEQUENCE, &[&algorithm, &hash, &hash, &element(INTEGER, &[serial])]);
        let next = element(CONTEXT, &[&element(TIME, &[b"20260112100000Z"])]);
        let this = element(TIME, &[b"20260105100000Z"]);
        let single = element(SEQUENCE, &[&id, status, &this, &next]);
        let by_key = element(0xa2, &[&hash]);
        let list = element(SEQUENCE, &[&single]);
        let data = element(SEQUENCE, &[&by_key, &this, &list]);
        let basic = element(SEQUENCE, &[&data, &element(SEQUENCE, &[]), &element(3, &[&[0, 1]])]);
        let kind = element(OID, &[&[0x2b, 6, 1, 5, 5, 7, 48, 1, 1]]);
        let bytes = element(SEQUENCE, &[&kind, &element(OCTETS, &[&basic])]);
        element(SEQUENCE, &[&element(ENUMERATED, &[&[0]]), &element(CONTEXT, &[&bytes])])
    }

    fn leaf(serial: &[u8]) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(vec!["example.org".into()]).expect("names");
        params.serial_number = Some(rcgen::SerialNumber::from_slice(serial));
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn a_response_is_read() {
        let leaf = leaf(&[1, 2, 3]);
        let good = read(&response(&[1, 2, 3], &[0x80, 0]), &leaf).expect("readable");
        assert_eq!(good.status, StapleStatus::Good);
        assert_eq!((good.this_update, good.next_update), (1_767_607_200, Some(1_768_212_000)));
        let when = element(TIME, &[b"20260101000000Z"]);
        let revoked = read(&response(&[1, 2, 3], &element(0xa1, &[&when])), &leaf);
        assert_eq!(revoked.expect("readable").status, StapleStatus::Revoked);
        let unknown = read(&response(&[1, 2, 3], &[0x82, 0]), &leaf).expect("readable");
        assert_eq!(unknown.status, StapleStatus::Unknown);
    }

    #[test]
    fn what_is_of_no_use_says_why() {
        let leaf = leaf(&[1, 2, 3]);
        let why = |bytes: &[u8]| read(bytes, &leaf).expect_err("of no use");
        assert!(why(&response(&[9], &[0x80, 0])).contains("another certificate"));
        assert!(why(&element(SEQUENCE, &[&element(ENUMERATED, &[&[3]])])).contains("try later"));
        assert!(why(b"").contains("not readable"));
        let whole = response(&[1, 2, 3], &[0x80, 0]);
        for end in 0..whole.len() {
            assert!(read(&whole[..end], &leaf).is_err(), "{end} bytes");
        }
    }

    #[test]
    fn times_are_counted_from_the_epoch() {
        assert_eq!(time(b"19700101000000Z"), Some(0));
        assert_eq!(time(b"20000229120000Z"), Some(951_825_600));
        assert_eq!(time(b"20240301000000Z"), Some(1_709_251_200));
        for wrong in ["20261301000000Z", "2026", "20260101000000", "2026010100000xZ", ""] {
            assert_eq!(time(wrong.as_bytes()), None, "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, at in 0_usize..400, byte: u8) {
            let leaf = leaf(&[1, 2, 3]);
            let _ = read(&bytes, &leaf);
            let mut spoilt = response(&[1, 2, 3], &[0x80, 0]);
            let length = spoilt.len();
            spoilt[at % length] = byte;
            let _ = read(&spoilt, &leaf);
            let _ = read(&spoilt, &bytes);
        }
    }
}
