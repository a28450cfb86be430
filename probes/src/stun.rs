//! STUN binding messages (RFC 8489) with the attributes of ICE (RFC 8445).
//!
//! A typed view of what `rtc-stun` encodes and decodes: just the binding method, short-term
//! credentials, bounded sizes, and never a panic whatever the bytes are.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};

use rtc_stun::attributes::{
    ATTR_ERROR_CODE, ATTR_FINGERPRINT, ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING,
    ATTR_MESSAGE_INTEGRITY, ATTR_PRIORITY, ATTR_SOFTWARE, ATTR_UNKNOWN_ATTRIBUTES,
    ATTR_USE_CANDIDATE, ATTR_USERNAME, ATTR_XORMAPPED_ADDRESS, AttrType,
};
use rtc_stun::crypto::{RTCCryptoProvider, default_provider};
use rtc_stun::error_code::{ErrorCode, ErrorCodeAttribute};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, Getter as _, Message as Raw, MessageType,
    Setter, TransactionId, is_stun_message,
};
use rtc_stun::xoraddr::XorMappedAddress;

/// The longest message read, in bytes; what is longer is no binding message of any agent.
pub const MAX_BYTES: usize = 1500;

/// The most attributes read of one message.
const MAX_ATTRIBUTES: usize = 32;

/// Pairs an answer with its request.
pub type Transaction = [u8; 12];

static CRYPTO: LazyLock<Option<Arc<dyn RTCCryptoProvider>>> =
    LazyLock::new(|| default_provider().ok());

/// A transaction id that nobody else has.
pub fn transaction() -> Transaction {
    TransactionId::new().0
}

/// What kind of binding message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Asks.
    Request,
    /// Answers well.
    Success,
    /// Answers with an error.
    Error,
}

/// The role that an agent claims (RFC 8445 section 7.1.3), with its tie-breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It nominates.
    Controlling(u64),
    /// It waits for the nomination.
    Controlled(u64),
}

/// A binding message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Request, success or error.
    pub class: Class,
    /// Pairs an answer with its request.
    pub transaction: Transaction,
    /// `receiver's ufrag:sender's ufrag`.
    pub username: Option<String>,
    /// Candidate priority for a peer-reflexive candidate.
    pub priority: Option<u32>,
    /// The role claimed.
    pub claim: Option<Claim>,
    /// The controlling side nominates this pair.
    pub use_candidate: bool,
    /// Where the request came from, as the answerer saw it.
    pub mapped: Option<SocketAddr>,
    /// Code (300 to 699) and reason of an error.
    pub error: Option<(u16, String)>,
    /// Attributes that the answerer did not understand (with error 420; ice4j adds it to 401 too).
    pub unknown_attributes: Option<Vec<u16>>,
    /// Software of the sender.
    pub software: Option<String>,
}

impl Message {
    /// A message without attributes.
    pub fn new(class: Class, transaction: Transaction) -> Self {
        Self {
            class,
            transaction,
            username: None,
            priority: None,
            claim: None,
            use_candidate: false,
            mapped: None,
            error: None,
            unknown_attributes: None,
            software: None,
        }
    }

    /// The bytes, signed with the password (MESSAGE-INTEGRITY) where one is given, and with
    /// FINGERPRINT last.
    ///
    /// # Errors
    /// A text attribute longer than RFC 8489 permits.
    pub fn encode(&self, password: Option<&str>) -> Result<Vec<u8>, String> {
        let kind = match self.class {
            Class::Request => BINDING_REQUEST,
            Class::Success => BINDING_SUCCESS,
            Class::Error => BINDING_ERROR,
        };
        let mut raw = Raw::new();
        let mut add =
            |attribute: &dyn Setter| attribute.add_to(&mut raw).map_err(|error| error.to_string());
        add(&Header(kind, self.transaction))?;
        if let Some((code, reason)) = &self.error {
            let reason = reason.clone().into_bytes();
            add(&ErrorCodeAttribute { code: ErrorCode(*code), reason })?;
        }
        if let Some(types) = &self.unknown_attributes {
            let value = types.iter().flat_map(|kind| kind.to_be_bytes()).collect();
            add(&Attribute(ATTR_UNKNOWN_ATTRIBUTES, value))?;
        }
        if let Some(address) = self.mapped {
            add(&XorMappedAddress { ip: address.ip(), port: address.port() })?;
        }
        if let Some(username) = &self.username {
            add(&Attribute(ATTR_USERNAME, bounded(username, 513)?))?;
        }
        if let Some(priority) = self.priority {
            add(&Attribute(ATTR_PRIORITY, priority.to_be_bytes().to_vec()))?;
        }
        match self.claim {
            Some(Claim::Controlling(tie)) => {
                add(&Attribute(ATTR_ICE_CONTROLLING, tie.to_be_bytes().to_vec()))?;
            }
            Some(Claim::Controlled(tie)) => {
                add(&Attribute(ATTR_ICE_CONTROLLED, tie.to_be_bytes().to_vec()))?;
            }
            None => {}
        }
        if self.use_candidate {
            add(&Attribute(ATTR_USE_CANDIDATE, Vec::new()))?;
        }
        if let Some(software) = &self.software {
            add(&Attribute(ATTR_SOFTWARE, bounded(software, 763)?))?;
        }
        if let Some(password) = password {
            let provider = CRYPTO.as_ref().ok_or("no crypto provider")?;
            add(&MessageIntegrity::new_short_term_integrity_with_provider(
                password.to_owned(),
                provider.crypto(),
            ))?;
        }
        add(&FINGERPRINT)?;
        Ok(raw.raw)
    }
}

/// A message as it came: its words, and the bytes that its signature covers.
#[derive(Debug, Clone)]
pub struct Received {
    /// In words.
    pub message: Message,
    /// Types of all attributes, in order.
    pub attributes: Vec<u16>,
    raw: Raw,
}

impl Received {
    /// Reads a datagram. None when it is not a binding message, or a malformed one, or its
    /// FINGERPRINT is wrong.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_BYTES || !is_stun_message(bytes) || bytes[0] > 3 {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        if length % 4 != 0 || length + 20 != bytes.len() {
            return None;
        }
        let mut raw = Raw::new();
        raw.unmarshal_binary(bytes).ok()?;
        if raw.attributes.0.len() > MAX_ATTRIBUTES {
            return None;
        }
        let class = match raw.typ {
            BINDING_REQUEST => Class::Request,
            BINDING_SUCCESS => Class::Success,
            BINDING_ERROR => Class::Error,
            _ => return None,
        };
        if raw.contains(ATTR_FINGERPRINT) && FINGERPRINT.check(&raw).is_err() {
            return None;
        }
        let mut message = Message::new(class, raw.transaction_id.0);
        read_attributes(&raw, &mut message)?;
        let attributes = raw.attributes.0.iter().map(|attribute| attribute.typ.value()).collect();
        Some(Self { message, attributes, raw })
    }

    /// Whether it carries MESSAGE-INTEGRITY.
    pub fn is_signed(&self) -> bool {
        self.raw.contains(ATTR_MESSAGE_INTEGRITY)
    }

    /// Whether it is signed with this password.
    pub fn is_signed_with(&self, password: &str) -> bool {
        let signature = self.raw.attributes.0.iter().find(|a| a.typ == ATTR_MESSAGE_INTEGRITY);
        let whole = signature.is_some_and(|attribute| attribute.value.len() == 20);
        let Some(provider) = CRYPTO.as_ref().filter(|_| whole) else { return false };
        let mut raw = self.raw.clone();
        MessageIntegrity::check(&mut raw, password.as_bytes(), provider.crypto()).is_ok()
    }
}

/// Whether the datagram looks like STUN (RFC 7983: first byte 0 to 3, and the magic cookie).
pub fn looks_like_stun(bytes: &[u8]) -> bool {
    is_stun_message(bytes) && bytes[0] <= 3
}

fn read_attributes(raw: &Raw, message: &mut Message) -> Option<()> {
    for attribute in &raw.attributes.0 {
        let value = attribute.value.as_slice();
        match attribute.typ {
            ATTR_USERNAME => message.username = Some(text(value, 513)?),
            ATTR_SOFTWARE => message.software = Some(text(value, 763)?),
            ATTR_PRIORITY => message.priority = Some(u32::from_be_bytes(value.try_into().ok()?)),
            ATTR_ICE_CONTROLLING => {
                let tie = u64::from_be_bytes(value.try_into().ok()?);
                message.claim = Some(Claim::Controlling(tie));
            }
            ATTR_ICE_CONTROLLED => {
                let tie = u64::from_be_bytes(value.try_into().ok()?);
                message.claim = Some(Claim::Controlled(tie));
            }
            ATTR_USE_CANDIDATE => message.use_candidate = true,
            ATTR_XORMAPPED_ADDRESS if matches!(value.len(), 8 | 20) => {
                let mut mapped = XorMappedAddress::default();
                mapped.get_from(raw).ok()?;
                let whole = value.len() == if mapped.ip.is_ipv4() { 8 } else { 20 };
                message.mapped = whole.then(|| SocketAddr::new(mapped.ip, mapped.port));
            }
            ATTR_ERROR_CODE => {
                let mut error = ErrorCodeAttribute::default();
                error.get_from(raw).ok()?;
                // Reserved bits that are set end up in it.
                if !(300..700).contains(&error.code.0) {
                    return None;
                }
                let reason = String::from_utf8_lossy(&error.reason).chars().take(200).collect();
                message.error = Some((error.code.0, reason));
            }
            ATTR_UNKNOWN_ATTRIBUTES => {
                let types = value.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
                message.unknown_attributes = Some(types.collect());
            }
            _ => {}
        }
    }
    Some(())
}

fn text(value: &[u8], limit: usize) -> Option<String> {
    (value.len() <= limit).then(|| String::from_utf8_lossy(value).into_owned())
}

fn bounded(text: &str, limit: usize) -> Result<Vec<u8>, String> {
    if text.len() > limit {
        return Err(format!("{} bytes of text in a STUN attribute, at most {limit}", text.len()));
    }
    Ok(text.as_bytes().to_vec())
}

struct Header(MessageType, Transaction);

impl Setter for Header {
    fn add_to(&self, raw: &mut Raw) -> rtc_shared::error::Result<()> {
        raw.typ = self.0;
        raw.transaction_id = TransactionId(self.1);
        raw.write_header();
        Ok(())
    }
}

struct Attribute(AttrType, Vec<u8>);

impl Setter for Attribute {
    fn add_to(&self, raw: &mut Raw) -> rtc_shared::error::Result<()> {
        raw.add(self.0, &self.1);
        Ok(())
    }
}

/// An address as STUN shows it: IPv4-mapped IPv6 as plain IPv4.
pub fn plain(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 => v4,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 5769 section 2.1, the sample request; password `VOkJxbRl1RmTxUk/WvJxBt`.
    const SAMPLE: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\
        \xfa\x87\xdf\xae\x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\
        \x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\
        \x59\x20\x20\x20\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\
        \xf2\x49\xc1\xb5\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";

    #[test]
    fn reads_the_sample_of_rfc_5769() {
        let received = Received::decode(SAMPLE).expect("a binding request");
        let message = &received.message;
        assert_eq!(message.class, Class::Request);
        assert_eq!(message.username.as_deref(), Some("evtj:h6vY"));
        assert_eq!(message.software.as_deref(), Some("STUN test client"));
        assert_eq!(message.priority, Some(0x6e00_01ff));
        assert_eq!(message.claim, Some(Claim::Controlled(0x932f_f9b1_5126_3b36)));
        assert!(received.is_signed_with("VOkJxbRl1RmTxUk/WvJxBt"));
        assert!(!received.is_signed_with("VOkJxbRl1RmTxUk/WvJxBT"));
    }

    #[test]
    fn a_code_that_cannot_be_is_malformed() {
        for code in [299, 700, 25655] {
            let mut message = Message::new(Class::Error, transaction());
            message.error = Some((code, "no".into()));
            let bytes = message.encode(None).expect("encodes");
            assert!(Received::decode(&bytes).is_none(), "{code}");
        }
    }

    #[test]
    fn comes_back_as_it_was_sent() {
        let mut message = Message::new(Class::Success, transaction());
        message.mapped = Some("[2001:db8::7]:40000".parse().expect("an address"));
        message.username = Some("a:b".into());
        let bytes = message.encode(Some("secret")).expect("encodes");
        let received = Received::decode(&bytes).expect("decodes");
        assert_eq!(received.message, message);
        assert!(received.is_signed_with("secret"));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Received::decode(&bytes).map(|received| received.is_signed_with("secret"));
        }

        #[test]
        fn mutated_messages_never_panic(
            at in 0..SAMPLE.len(), value: u8, cut in 0..SAMPLE.len(), fix_length: bool,
        ) {
            let mut bytes = SAMPLE.to_vec();
            bytes[at] = value;
            bytes.truncate(SAMPLE.len() - cut);
            if fix_length && bytes.len() >= 20 {
                let length = u16::try_from(bytes.len() - 20).expect("short");
                bytes[2..4].copy_from_slice(&length.to_be_bytes());
            }
            let _ = Received::decode(&bytes).map(|received| received.is_signed_with("secret"));
        }
    }
}
