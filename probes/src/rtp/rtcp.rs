//! RTCP (RFC 3550 section 6, RFC 4585 section 6.3.1): what two guests and a bridge need.

/// Packets of one compound that are read at most.
const MAX_PACKETS: usize = 32;

/// Report blocks, chunks or sources of one packet.
const MAX_ITEMS: usize = 31;

/// What a receiver says of one stream (RFC 3550 section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// The stream.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths.
    pub fraction: u8,
    /// Lost in all; less than none where packets came twice. 24 bits on the wire.
    pub lost: i32,
    /// Highest sequence number, above it the count of its cycles.
    pub highest: u32,
    /// In units of the codec's clock.
    pub jitter: u32,
    /// The middle 32 bits of the time in the last sender report; 0 for none.
    pub last_report: u32,
    /// Since that report came, in 65536ths of a second.
    pub delay: u32,
}

/// One RTCP packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rtcp {
    /// SR, type 200.
    SenderReport {
        /// Who sends.
        ssrc: u32,
        /// The time, in 2^-32 seconds since 1900.
        ntp: u64,
        /// The same time by the codec's clock.
        timestamp: u32,
        /// Packets sent.
        packets: u32,
        /// Bytes of payload sent.
        bytes: u32,
        /// What the sender receives.
        reports: Vec<Report>,
    },
    /// RR, type 201.
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// On what.
        reports: Vec<Report>,
    },
    /// SDES, type 202, with the CNAME alone.
    Description {
        /// Whom it describes.
        ssrc: u32,
        /// At most 255 bytes.
        cname: String,
    },
    /// BYE, type 203.
    Bye(Vec<u32>),
    /// PLI or FIR (types 206/1, 206/4): a key frame is wanted.
    KeyFrameWanted {
        /// Of which stream.
        ssrc: u32,
    },
    /// Any other, by its type and its count or format.
    Other(u8, u8),
}

impl Rtcp {
    /// The packet on the wire.
    ///
    /// # Errors
    /// Too many items, too long a name, or a kind that is only read.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        let (kind, count) = match self {
            Self::SenderReport { ssrc, ntp, timestamp, packets, bytes, reports } => {
                body.extend(ssrc.to_be_bytes());
                body.extend(ntp.to_be_bytes());
                for number in [timestamp, packets, bytes] {
                    body.extend(number.to_be_bytes());
                }
                reports.iter().for_each(|report| report.encode(&mut body));
                (200, reports.len())
            }
            Self::ReceiverReport { ssrc, reports } => {
                body.extend(ssrc.to_be_bytes());
                reports.iter().for_each(|report| report.encode(&mut body));
                (201, reports.len())
            }
            Self::Description { ssrc, cname } => {
                let length = u8::try_from(cname.len()).map_err(|_| "too long a CNAME")?;
                body.extend(ssrc.to_be_bytes());
                body.extend([1, length]);
                body.extend(cname.as_bytes());
                // At least one zero ends the list of items.
                body.resize((body.len() + 1).next_multiple_of(4), 0);
                (202, 1)
            }
            Self::Bye(sources) => {
                sources.iter().for_each(|ssrc| body.extend(ssrc.to_be_bytes()));
                (203, sources.len())
            }
            Self::KeyFrameWanted { ssrc } => {
                body.extend([0; 4]);
                body.extend(ssrc.to_be_bytes());
                (206, 1)
            }
            Self::Other(kind, _) => return Err(format!("RTCP of type {kind} is not written")),
        };
        let count = u8::try_from(count).ok().filter(|count| *count <= 31);
        let count = count.ok_or("more than 31 items")?;
        let words = u16::try_from(body.len() / 4).map_err(|_| "too long")?;
        let mut bytes = vec![0x80 | count, kind];
        bytes.extend(words.to_be_bytes());
        bytes.extend(body);
        Ok(bytes)
    }
}

impl Report {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let lost = self.lost.clamp(-0x80_0000, 0x7F_FFFF).to_be_bytes();
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend([self.fraction, lost[1], lost[2], lost[3]]);
        for number in [self.highest, self.jitter, self.last_report, self.delay] {
            bytes.extend(number.to_be_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| {
            let four = bytes.get(at..at + 4)?;
            Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
        };
        let lost = number(4)?;
        Some(Self {
            ssrc: number(0)?,
            fraction: (lost >> 24) as u8,
            // The sign of 24 bits.
            lost: (lost << 8).cast_signed() >> 8,
            highest: number(8)?,
            jitter: number(12)?,
            last_report: number(16)?,
            delay: number(20)?,
        })
    }
}

/// Reads a compound packet, decrypted; what does not add up ends the list.
pub fn compound_of(mut bytes: &[u8]) -> Vec<Rtcp> {
    let mut all = Vec::new();
    while all.len() < MAX_PACKETS {
        let Some((head, rest)) = bytes.split_at_checked(4) else { break };
        if head[0] >> 6 != 2 {
            break;
        }
        let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let Some((body, rest)) = rest.split_at_checked(words * 4) else { break };
        let Some(packet) = one(head[1], head[0] & 31, body) else { break };
        all.push(packet);
        bytes = rest;
    }
    all
}

fn one(kind: u8, count: u8, body: &[u8]) -> Option<Rtcp> {
    let number = |at: usize| {
        let four = body.get(at..at + 4)?;
        Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
    };
    let items = usize::from(count).min(MAX_ITEMS);
    let reports = |from: usize| -> Vec<Report> {
        let blocks = body.get(from..).unwrap_or_default().chunks_exact(24);
        blocks.take(items).filter_map(Report::decode).collect()
    };
    Some(match kind {
        200 => Rtcp::SenderReport {
            ssrc: number(0)?,
            ntp: u64::from(number(4)?) << 32 | u64::from(number(8)?),
            timestamp: number(12)?,
            packets: number(16)?,
            bytes: number(20)?,
            reports: reports(24),
        },
        201 => Rtcp::ReceiverReport { ssrc: number(0)?, reports: reports(4) },
        202 if count > 0 => match cname(body.get(4..)?) {
            Some(cname) => Rtcp::Description { ssrc: number(0)?, cname },
            None => Rtcp::Other(kind, count),
        },
        203 => Rtcp::Bye((0..items).map_while(|index| number(index * 4)).collect()),
        206 if count == 1 => Rtcp::KeyFrameWanted { ssrc: number(4)? },
        // FIR names the stream in its first entry; the field of the media source is 0.
        206 if count == 4 => Rtcp::KeyFrameWanted { ssrc: number(8)? },
        _ => Rtcp::Other(kind, count),
    })
}

/// The CNAME among the items of the first chunk.
fn cname(mut items: &[u8]) -> Option<String> {
    while let [kind, length, rest @ ..] = items {
        if *kind == 0 {
            return None;
        }
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        if *kind == 1 {
            return String::from_utf8(value.to_vec()).ok();
        }
        items = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_compound_is_read_as_written() {
        let report = Report {
            ssrc: 7,
            fraction: 12,
            lost: -3,
            highest: 0x1_0002,
            jitter: 96,
            last_report: 0x1234_5678,
            delay: 655,
        };
        let all = [
            Rtcp::SenderReport {
                ssrc: 1,
                ntp: 0x0102_0304_0506_0708,
                timestamp: 960,
                packets: 50,
                bytes: 2000,
                reports: vec![report, Report { lost: 5, ..report }],
            },
            Rtcp::ReceiverReport { ssrc: 2, reports: vec![report] },
            Rtcp::Description { ssrc: 1, cname: "guest".into() },
            Rtcp::KeyFrameWanted { ssrc: 9 },
            Rtcp::Bye(vec![1, 2]),
        ];
        let bytes: Vec<u8> =
            all.iter().flat_map(|packet| packet.encode().expect("in range")).collect();
        assert_eq!(compound_of(&bytes), all);
        // Cut anywhere, what is whole before the cut is read.
        for length in 0..bytes.len() {
            assert!(compound_of(&bytes[..length]).len() < all.len());
        }
    }

    #[test]
    fn a_full_intra_request_names_its_stream_in_the_entry() {
        let bytes = [0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 3, 0, 0, 0];
        assert_eq!(compound_of(&bytes), [Rtcp::KeyFrameWanted { ssrc: 9 }]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(
            kind in 200..=207u8, count in 0..32u8,
            body in proptest::collection::vec(any::<u8>(), 0..300)
        ) {
            let _ = compound_of(&body);
            let words = u16::try_from(body.len() / 4).expect("short").to_be_bytes();
            let head = [0x80 | count, kind, words[0], words[1]];
            prop_assert!(compound_of(&[&head[..], &body].concat()).len() <= MAX_PACKETS);
        }
    }
}
