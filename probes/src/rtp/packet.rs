//! RTP packets (RFC 3550 section 5.1) with header extensions (RFC 8285).

/// The longest packet read, in bytes.
const MAX_BYTES: usize = 2048;

/// Header extensions read at most.
const MAX_EXTENSIONS: usize = 32;

/// Profile of one-byte header extensions.
const ONE_BYTE: u16 = 0xBEDE;

/// Profile of two-byte header extensions, without its four application bits.
const TWO_BYTE: u16 = 0x1000;

/// A header extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// As negotiated: 1 to 14 in the one-byte form, 1 to 255 in the two-byte form.
    pub id: u8,
    /// 1 to 16 bytes in the one-byte form, 0 to 255 in the two-byte form.
    pub data: Vec<u8>,
}

/// A packet to send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packet {
    /// End of a video frame, start of a talk spurt.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// One more for each packet.
    pub sequence: u16,
    /// In units of the codec's clock.
    pub timestamp: u32,
    /// The stream.
    pub ssrc: u32,
    /// Contributing sources, at most 15.
    pub csrc: Vec<u32>,
    /// Header extensions.
    pub extensions: Vec<Extension>,
    /// What is carried, without padding.
    pub payload: Vec<u8>,
}

/// A packet as read, and how long its header is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The packet; its payload is what follows the header, encrypted or not.
    pub packet: Packet,
    /// Bytes of the header with contributing sources and extensions.
    pub header: usize,
    /// The last payload byte says how many bytes of padding there are.
    pub padded: bool,
    /// The extensions' profile and bytes as they came; none without the extension bit.
    pub extension: Option<(u16, Vec<u8>)>,
}

/// Whether a datagram of RTP's range is RTCP (RFC 5761 section 4: types 192 to 223).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    datagram.get(1).is_some_and(|kind| (192..224).contains(kind))
}

impl Packet {
    /// The packet on the wire, unencrypted. Extensions take the one-byte form where they fit in.
    ///
    /// # Errors
    /// A field is out of its range.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        let csrcs = u8::try_from(self.csrc.len()).ok().filter(|count| *count <= 15);
        let csrcs = csrcs.ok_or("more than 15 contributing sources")?;
        if self.payload_type > 127 {
            return Err(format!("{} is no payload type", self.payload_type));
        }
        let extended = !self.extensions.is_empty();
        let mut bytes = vec![0x80 | u8::from(extended) << 4 | csrcs];
        bytes.push(u8::from(self.marker) << 7 | self.payload_type);
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        for csrc in &self.csrc {
            bytes.extend(csrc.to_be_bytes());
        }
        if extended {
            self.encode_extensions(&mut bytes)?;
        }
        bytes.extend(&self.payload);
        if bytes.len() > MAX_BYTES {
            return Err(format!("a packet of {} bytes", bytes.len()));
        }
        Ok(bytes)
    }

    fn encode_extensions(&self, bytes: &mut Vec<u8>) -> Result<(), String> {
        let short = |e: &Extension| (1..=14).contains(&e.id) && (1..=16).contains(&e.data.len());
        let one_byte = self.extensions.iter().all(short);
        let mut body = Vec::new();
        for extension in &self.extensions {
            let length = u8::try_from(extension.data.len());
            let length = length.map_err(|_| "a header extension longer than 255 bytes")?;
            match (one_byte, extension.id) {
                (_, 0) => return Err("header extension 0 is padding".into()),
                (true, id) => body.push(id << 4 | (length - 1)),
                (false, id) => body.extend([id, length]),
            }
            body.extend(&extension.data);
        }
        body.resize(body.len().next_multiple_of(4), 0);
        let words = u16::try_from(body.len() / 4).map_err(|_| "too many header extensions")?;
        bytes.extend(if one_byte { ONE_BYTE } else { TWO_BYTE }.to_be_bytes());
        bytes.extend(words.to_be_bytes());
        bytes.extend(body);
        Ok(())
    }

    /// Reads a packet whose payload may still be encrypted. None for what is not RTP.
    pub fn decode(bytes: &[u8]) -> Option<Read> {
        let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3, rest @ ..] = bytes else {
            return None;
        };
        if first >> 6 != 2 || bytes.len() > MAX_BYTES || is_rtcp(bytes) {
            return None;
        }
        let (csrcs, mut rest) = rest.split_at_checked(usize::from(first & 15) * 4)?;
        let csrc = csrcs.chunks_exact(4).map(|c| u32::from_be_bytes([c[0], c[1], c[2], c[3]]));
        let mut extension = None;
        if first & 0x10 != 0 {
            let (head, after) = rest.split_at_checked(4)?;
            let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let (body, after) = after.split_at_checked(words * 4)?;
            extension = Some((u16::from_be_bytes([head[0], head[1]]), body.to_vec()));
            rest = after;
        }
        let extensions = match &extension {
            Some((ONE_BYTE, body)) => read_extensions(body, true),
            Some((profile, body)) if profile & 0xFFF0 == TWO_BYTE => read_extensions(body, false),
            _ => Vec::new(),
        };
        let packet = Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7F,
            sequence: u16::from_be_bytes([*s0, *s1]),
            timestamp: u32::from_be_bytes([*t0, *t1, *t2, *t3]),
            ssrc: u32::from_be_bytes([*r0, *r1, *r2, *r3]),
            csrc: csrc.collect(),
            extensions,
            payload: rest.to_vec(),
        };
        let header = bytes.len() - rest.len();
        Some(Read { packet, header, padded: first & 0x20 != 0, extension })
    }
}

impl Read {
    /// Takes the padding away, once the payload is decrypted. None if it is longer than the
    /// payload.
    pub fn unpadded(mut self) -> Option<Packet> {
        if self.padded {
            let padding = usize::from(*self.packet.payload.last()?);
            let length = self.packet.payload.len().checked_sub(padding.max(1))?;
            self.packet.payload.truncate(length);
        }
        Some(self.packet)
    }
}

/// RFC 8285 sections 4.2 and 4.3; what does not add up ends the list.
fn read_extensions(mut body: &[u8], one_byte: bool) -> Vec<Extension> {
    let mut all = Vec::new();
    while let [id, rest @ ..] = body {
        if *id == 0 {
            body = rest;
            continue;
        }
        let (id, length, rest) = match (one_byte, rest) {
            (true, _) if id >> 4 == 15 => break,
            (true, rest) => (id >> 4, usize::from(id & 15) + 1, rest),
            (false, [length, rest @ ..]) => (*id, usize::from(*length), rest),
            (false, []) => break,
        };
        let Some((data, rest)) = rest.split_at_checked(length) else { break };
        if all.len() == MAX_EXTENSIONS {
            break;
        }
        all.push(Extension { id, data: data.to_vec() });
        body = rest;
    }
    all
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
