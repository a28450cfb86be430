//! Opening a channel (RFC 8832 section 5).

/// `DATA_CHANNEL_ACK`
pub(super) const ACK: u8 = 2;

/// `DATA_CHANNEL_OPEN`
const OPEN: u8 = 3;

/// Label and protocol of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Its name.
    pub label: String,
    /// What is spoken in it.
    pub protocol: String,
}

impl Open {
    /// The message for a reliable and ordered channel.
    pub(super) fn encode(&self) -> Vec<u8> {
        let length = |text: &str| u16::try_from(text.len()).unwrap_or(0).to_be_bytes();
        // Reliable and ordered, of normal priority below all others, without a limit.
        let mut bytes = vec![OPEN, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend(length(&self.label));
        bytes.extend(length(&self.protocol));
        bytes.extend(self.label.as_bytes());
        bytes.extend(self.protocol.as_bytes());
        bytes
    }

    /// The message read; none for any other.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(12)?;
        let length = |at: usize| usize::from(u16::from_be_bytes([head[at], head[at + 1]]));
        let (label, rest) = rest.split_at_checked(length(8))?;
        let protocol = rest.get(..length(10))?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let open = Self { label: text(label)?, protocol: text(protocol)? };
        (head[0] == OPEN).then_some(open)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_read_as_written(label in "\\PC{0,40}", protocol in "\\PC{0,40}") {
            let open = Open { label, protocol };
            let bytes = open.encode();
            prop_assert_eq!(Open::decode(&bytes), Some(open));
            for length in 0..bytes.len() {
                prop_assert_eq!(Open::decode(&bytes[..length]), None);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Open::decode(&bytes);
        }
    }
}
