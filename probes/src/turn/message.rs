//! TURN messages (RFC 8656 section 17): a header, and attributes within bounds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ring::hmac;

use crate::stun::Transaction;

/// The longest message written or read, in bytes with its header.
pub(super) const MAX_BYTES: usize = 8 * 1024;

/// The most attributes read of one message.
const MAX_ATTRIBUTES: usize = 64;

/// The longest user name, realm and nonce in bytes (RFC 8489 sections 14.3, 14.9 and 14.10).
const MAX_TEXT: usize = 763;

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER: usize = 20;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const CHANNEL_NUMBER: u16 = 0x000c;
const LIFETIME: u16 = 0x000d;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const DATA: u16 = 0x0013;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
const REQUESTED_TRANSPORT: u16 = 0x0019;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const SOFTWARE: u16 = 0x8022;
const ALTERNATE_SERVER: u16 = 0x8023;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Where do I come from? (RFC 8489)
    Binding,
    /// An address at the server, please.
    Allocate,
    /// For longer, or no longer.
    Refresh,
    /// A datagram for a peer.
    Send,
    /// A datagram of a peer.
    Data,
    /// Let this peer's datagrams in.
    CreatePermission,
    /// A number for a peer.
    ChannelBind,
}

impl Method {
    const ALL: [(Self, u16); 7] = [
        (Self::Binding, 1),
        (Self::Allocate, 3),
        (Self::Refresh, 4),
        (Self::Send, 6),
        (Self::Data, 7),
        (Self::CreatePermission, 8),
        (Self::ChannelBind, 9),
    ];
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// Answers well.
    Success,
    /// Answers with an error.
    Error,
}

impl Class {
    const ALL: [(Self, u16); 4] = [
        (Self::Request, 0x000),
        (Self::Indication, 0x010),
        (Self::Success, 0x100),
        (Self::Error, 0x110),
    ];
}

/// The attributes that a client needs; the others are skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// User name of the long-term credentials.
    pub username: Option<String>,
    /// What the server calls its domain.
    pub realm: Option<String>,
    /// The server's word of the moment, to be sent back.
    pub nonce: Option<Vec<u8>>,
    /// Code (300 to 699) and reason, of an error.
    pub error: Option<(u16, String)>,
    /// Seconds.
    pub lifetime: Option<u32>,
    /// Where the server sees us.
    pub mapped: Option<SocketAddr>,
    /// The address at the server.
    pub relayed: Option<SocketAddr>,
    /// The peer, of a datagram or a permission.
    pub peer: Option<SocketAddr>,
    /// A datagram.
    pub data: Option<Vec<u8>>,
    /// From 0x4000 to 0x4FFF.
    pub channel: Option<u16>,
    /// Protocol number wanted between server and peers; 17 is UDP.
    pub transport: Option<u8>,
    /// Address family wanted at the server (RFC 6156): 1 is IPv4, 2 is IPv6.
    pub family: Option<u8>,
    /// The server to ask instead.
    pub alternate: Option<SocketAddr>,
    /// What the other side runs.
    pub software: Option<String>,
}

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub method: Method,
    /// Request, indication, success or error.
    pub class: Class,
    /// Pairs an answer with its request.
    pub transaction: Transaction,
    /// What it says.
    pub attributes: Attributes,
    /// Whether it carries MESSAGE-INTEGRITY.
    pub signed: bool,
}

impl Message {
    /// A message without attributes.
    pub fn new(method: Method, class: Class, transaction: Transaction) -> Self {
        Self { method, class, transaction, attributes: Attributes::default(), signed: false }
    }

    /// The bytes, signed (MESSAGE-INTEGRITY) where a key is given.
    ///
    /// # Errors
    /// Something is longer than the RFC permits.
    pub fn encode(&self, key: Option<&[u8]>) -> Result<Vec<u8>, String> {
        let mut out = Writer::new(self);
        let a = &self.attributes;
        let text = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        let number = |n: u8| vec![n, 0, 0, 0];
        let address = |address: SocketAddr| write_address(address, &self.transaction);
        let code = |(code, reason): &(u16, String)| write_error(*code, reason);
        let channel = |number: u16| [number.to_be_bytes(), [0, 0]].concat();
        for (kind, value) in [
            (ERROR_CODE, a.error.as_ref().map(code)),
            (CHANNEL_NUMBER, a.channel.map(channel)),
            (LIFETIME, a.lifetime.map(|seconds| seconds.to_be_bytes().to_vec())),
            (XOR_PEER_ADDRESS, a.peer.map(address)),
            (XOR_RELAYED_ADDRESS, a.relayed.map(address)),
            (XOR_MAPPED_ADDRESS, a.mapped.map(address)),
            (DATA, a.data.clone()),
            (REQUESTED_ADDRESS_FAMILY, a.family.map(number)),
            (REQUESTED_TRANSPORT, a.transport.map(number)),
            (SOFTWARE, text(&a.software)),
            (ALTERNATE_SERVER, a.alternate.map(|address| write_plain(address, [0; 16]))),
            (USERNAME, text(&a.username)),
            (REALM, text(&a.realm)),
            (NONCE, a.nonce.clone()),
        ] {
            let limit = if kind == DATA { MAX_BYTES - 512 } else { MAX_TEXT };
            match value {
                Some(value) if value.len() > limit => {
                    let length = value.len();
                    return Err(format!("{length} bytes in an attribute, at most {limit}"));
                }
                Some(value) => out.add(kind, &value),
                None => {}
            }
        }
        Ok(out.finish(key))
    }

    /// Reads one message. None when it is not one of these methods, or malformed.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(HEADER)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[4..8] != COOKIE || length != body.len() || length % 4 != 0 {
            return None;
        }
        if bytes.len() > MAX_BYTES {
            return None;
        }
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let class = Class::ALL.iter().find(|(_, bits)| kind & 0x0110 == *bits)?.0;
        let method = Method::ALL.iter().find(|(_, number)| kind & !0x0110 == *number)?.0;
        let transaction: Transaction = header[8..20].try_into().ok()?;
        let mut message = Self::new(method, class, transaction);
        let mut attributes = Walk { body };
        for (read, next) in attributes.by_ref().enumerate() {
            let (kind, value) = next?;
            if read == MAX_ATTRIBUTES {
                return None;
            }
            if kind == MESSAGE_INTEGRITY {
                message.signed = true;
                // RFC 8489 section 14.5: what follows the signature is not covered by it.
                break;
            }
            message.read(kind, value)?;
        }
        Some(message)
    }

    fn read(&mut self, kind: u16, value: &[u8]) -> Option<()> {
        let to = &mut self.attributes;
        let address = |value| read_address(value, &self.transaction);
        match kind {
            USERNAME => to.username = Some(text(value)?),
            REALM => to.realm = Some(text(value)?),
            SOFTWARE => to.software = Some(text(value)?),
            NONCE => to.nonce = (value.len() <= MAX_TEXT).then(|| value.to_vec()),
            DATA => to.data = Some(value.to_vec()),
            LIFETIME => to.lifetime = Some(u32::from_be_bytes(value.try_into().ok()?)),
            CHANNEL_NUMBER => {
                to.channel = Some(u16::from_be_bytes(value.get(..2)?.try_into().ok()?));
            }
            REQUESTED_TRANSPORT => to.transport = Some(*value.first()?),
            REQUESTED_ADDRESS_FAMILY => to.family = Some(*value.first()?),
            XOR_PEER_ADDRESS => to.peer = Some(address(value)?),
            XOR_RELAYED_ADDRESS => to.relayed = Some(address(value)?),
            XOR_MAPPED_ADDRESS => to.mapped = Some(address(value)?),
            ALTERNATE_SERVER => to.alternate = Some(read_plain(value, [0; 16])?),
            ERROR_CODE => {
                let (head, reason) = value.split_at_checked(4)?;
                let code = u16::from(head[2] & 7) * 100 + u16::from(head[3]);
                let reason = String::from_utf8_lossy(reason).chars().take(200).collect();
                to.error = Some((code, reason));
            }
            _ => {}
        }
        Some(())
    }
}

/// Whether these bytes of a message carry a MESSAGE-INTEGRITY made with this key.
pub(super) fn is_signed_with(bytes: &[u8], key: &[u8]) -> bool {
    let Some(body) = bytes.get(HEADER..) else { return false };
    let mut at = HEADER;
    for next in (Walk { body }).take(MAX_ATTRIBUTES) {
        let Some((kind, value)) = next else { return false };
        if kind == MESSAGE_INTEGRITY {
            let Ok(length) = u16::try_from(at + 24 - HEADER) else { return false };
            let mut covered = bytes[..at].to_vec();
            covered[2..4].copy_from_slice(&length.to_be_bytes());
            return hmac::verify(&sha1(key), &covered, value).is_ok();
        }
        at += 4 + value.len().next_multiple_of(4);
    }
    false
}

fn sha1(key: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key)
}

/// The attributes one after the other; `Some(None)` where the bytes end within one.
struct Walk<'a> {
    body: &'a [u8],
}

impl<'a> Iterator for Walk<'a> {
    type Item = Option<(u16, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.body.is_empty() {
            return None;
        }
        let mut take = |count: usize| {
            let (taken, rest) = self.body.split_at_checked(count)?;
            self.body = rest;
            Some(taken)
        };
        let mut attribute = || {
            let head = take(4)?;
            let length = u16::from_be_bytes([head[2], head[3]]);
            let padded = take(usize::from(length).next_multiple_of(4))?;
            Some((u16::from_be_bytes([head[0], head[1]]), &padded[..usize::from(length)]))
        };
        let found = attribute();
        if found.is_none() {
            self.body = &[];
        }
        Some(found)
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn new(message: &Message) -> Self {
        let bits = |class| Class::ALL.iter().find(|(one, _)| *one == class).map_or(0, |(_, b)| *b);
        let number = |method| {
            Method::ALL.iter().find(|(one, _)| *one == method).map_or(0, |(_, number)| *number)
        };
        let mut out = (number(message.method) | bits(message.class)).to_be_bytes().to_vec();
        out.extend([0, 0]);
        out.extend(COOKIE);
        out.extend(message.transaction);
        Self(out)
    }

    fn add(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.0.extend(kind.to_be_bytes());
        self.0.extend(length.to_be_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn finish(mut self, key: Option<&[u8]>) -> Vec<u8> {
        if let Some(key) = key {
            self.write_length(24);
            let tag = hmac::sign(&sha1(key), &self.0);
            self.add(MESSAGE_INTEGRITY, tag.as_ref());
        }
        self.write_length(0);
        self.0
    }

    /// The length of what is there and what will follow.
    fn write_length(&mut self, following: usize) {
        let length = u16::try_from(self.0.len() - HEADER + following).unwrap_or(u16::MAX);
        self.0[2..4].copy_from_slice(&length.to_be_bytes());
    }
}

fn write_error(code: u16, reason: &str) -> Vec<u8> {
    let class = u8::try_from(code / 100).unwrap_or(0);
    let number = u8::try_from(code % 100).unwrap_or(0);
    [&[0, 0, class, number], reason.as_bytes()].concat()
}

/// What addresses are masked with (RFC 8489 section 14.2).
fn mask(transaction: &Transaction) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE);
    mask[4..].copy_from_slice(transaction);
    mask
}

fn write_address(address: SocketAddr, transaction: &Transaction) -> Vec<u8> {
    write_plain(address, mask(transaction))
}

fn write_plain(address: SocketAddr, mask: [u8; 16]) -> Vec<u8> {
    let (family, ip) = match address.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let port = address.port().to_be_bytes();
    let mut out = vec![0, family, port[0] ^ mask[0], port[1] ^ mask[1]];
    out.extend(ip.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
    out
}

fn read_address(value: &[u8], transaction: &Transaction) -> Option<SocketAddr> {
    read_plain(value, mask(transaction))
}

fn read_plain(value: &[u8], mask: [u8; 16]) -> Option<SocketAddr> {
    let (head, ip) = value.split_at_checked(4)?;
    let port = u16::from_be_bytes([head[2] ^ mask[0], head[3] ^ mask[1]]);
    let bytes: Vec<u8> = ip.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    let ip = match (head[1], ip.len()) {
        (1, 4) => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        (2, 16) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn text(value: &[u8]) -> Option<String> {
    (value.len() <= MAX_TEXT).then(|| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
