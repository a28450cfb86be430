//! What is sent, and what is listened for.

/// What one guest sends and expects of the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlan {
    /// The same for all guests of one run, and different in the next.
    pub run: [u8; 8],
    /// Who sends: the endpoint's id.
    pub from: [u8; 8],
    /// Our sound, as signalled.
    pub ssrc: u32,
    /// Of Opus, as offered.
    pub payload_type: u8,
    /// The header extension for the audio level (RFC 6464), as offered; none: it is left out.
    /// The level sent is -30 dB: the bridge drops what claims to be silence.
    pub level_extension: Option<u8>,
    /// The other guest's sound.
    pub peer: u32,
    /// How many packets are sent, 50 a second.
    pub packets: u32,
    /// Key frames as well.
    pub video: Option<VideoPlan>,
}

/// A burst of small VP8 key frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoPlan {
    /// Our picture, as signalled.
    pub ssrc: u32,
    /// Of VP8, as offered.
    pub payload_type: u8,
    /// The other guest's picture.
    pub peer: u32,
    /// How many frames are sent, 10 a second.
    pub frames: u32,
}
