//! SRTP and SRTCP (RFC 3711, RFC 7714) with the keys of a DTLS handshake.
//!
//! The ciphers are those of `rtc-srtp`. It keeps state for every stream that anybody names, also
//! of packets that are not authentic; so each stream has a context of its own here, which is kept
//! only once a packet of it was authentic.

use std::collections::HashMap;
use std::sync::Arc;

use rtc_dtls::crypto_provider::{RTCCryptoProvider, default_provider};
use rtc_rtp::header::{Extension, Header};
use rtc_shared::error::Error;
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;

use crate::dtls::SrtpKeys;
use crate::rtp::{Packet, Read};

/// Packets that may arrive after a later one and are still told from repeated ones.
const WINDOW: usize = 1024;

/// Streams received at a time.
const MAX_STREAMS: usize = 64;

/// Why a packet was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SrtpError {
    /// Not RTP or RTCP at all.
    #[error("not a packet")]
    Garbled,
    /// Its authentication tag is wrong.
    #[error("not authentic")]
    Forged,
    /// It came before, or is too old to tell.
    #[error("a repeated packet")]
    Repeated,
    /// More streams than are followed.
    #[error("too many streams")]
    TooMany,
}

/// Both directions of one association.
pub struct Srtp {
    profile: ProtectionProfile,
    keys: SrtpKeys,
    provider: Arc<dyn RTCCryptoProvider>,
    outgoing: Context,
    incoming: HashMap<u32, Context>,
}

impl Srtp {
    /// With the keys of a handshake; the profile follows from the length of the salt.
    ///
    /// # Errors
    /// The keys are of no known profile.
    pub fn new(keys: &SrtpKeys) -> Result<Self, String> {
        let profile = match (keys.local.0.len(), keys.local.1.len()) {
            (16, 12) => ProtectionProfile::AeadAes128Gcm,
            (16, 14) => ProtectionProfile::Aes128CmHmacSha1_80,
            (key, salt) => return Err(format!("a key of {key} bytes with a salt of {salt}")),
        };
        let provider = default_provider().map_err(|error| error.to_string())?;
        let outgoing = context(profile, &keys.local, provider.as_ref())?;
        Ok(Self { profile, keys: keys.clone(), provider, outgoing, incoming: HashMap::new() })
    }

    /// Encrypts a packet.
    ///
    /// # Errors
    /// It cannot be encoded, or the keys are used up (after 2^48 packets).
    pub fn protect(&mut self, packet: &Packet) -> Result<Vec<u8>, String> {
        let plain = packet.encode()?;
        let read = Packet::decode(&plain).ok_or("not a packet")?;
        let bytes = self.outgoing.encrypt_rtp_with_header(&plain, &header(&read));
        bytes.map(|bytes| bytes.to_vec()).map_err(|error| error.to_string())
    }

    /// Decrypts a packet.
    ///
    /// # Errors
    /// [`SrtpError`].
    pub fn unprotect(&mut self, bytes: &[u8]) -> Result<Packet, SrtpError> {
        let read = Packet::decode(bytes).ok_or(SrtpError::Garbled)?;
        let header = header(&read);
        let plain =
            self.with(read.packet.ssrc, |stream| stream.decrypt_rtp_with_header(bytes, &header))?;
        Packet::decode(&plain).and_then(Read::unpadded).ok_or(SrtpError::Garbled)
    }

    /// Encrypts a compound RTCP packet.
    ///
    /// # Errors
    /// It is no RTCP.
    pub fn protect_rtcp(&mut self, compound: &[u8]) -> Result<Vec<u8>, String> {
        let bytes = self.outgoing.encrypt_rtcp(compound);
        bytes.map(|bytes| bytes.to_vec()).map_err(|error| error.to_string())
    }

    /// Decrypts a compound RTCP packet.
    ///
    /// # Errors
    /// [`SrtpError`].
    pub fn unprotect_rtcp(&mut self, bytes: &[u8]) -> Result<Vec<u8>, SrtpError> {
        let ssrc = bytes.get(4..8).ok_or(SrtpError::Garbled)?;
        let ssrc = u32::from_be_bytes([ssrc[0], ssrc[1], ssrc[2], ssrc[3]]);
        // `rtc-srtp` takes what says of itself that it is not encrypted without looking at its
        // tag. Nobody in WebRTC sends that.
        let tag = self.profile.rtcp_auth_tag_len();
        let flag = bytes.len().checked_sub(tag + 4).ok_or(SrtpError::Garbled)?;
        if bytes[flag] & 0x80 == 0 {
            return Err(SrtpError::Forged);
        }
        self.with(ssrc, |stream| stream.decrypt_rtcp(bytes)).map(|plain| plain.to_vec())
    }

    /// Decrypts with the stream's context; a new one is kept where that succeeds.
    fn with<T>(
        &mut self,
        ssrc: u32,
        decrypt: impl FnOnce(&mut Context) -> Result<T, Error>,
    ) -> Result<T, SrtpError> {
        let why = |error: Error| match error {
            Error::SrtpSsrcDuplicated(..) | Error::SrtcpSsrcDuplicated(..) => SrtpError::Repeated,
            Error::ErrFailedToVerifyAuthTag
            | Error::RtpFailedToVerifyAuthTag
            | Error::RtcpFailedToVerifyAuthTag => SrtpError::Forged,
            _ => SrtpError::Garbled,
        };
        if let Some(known) = self.incoming.get_mut(&ssrc) {
            return decrypt(known).map_err(why);
        }
        if self.incoming.len() == MAX_STREAMS {
            return Err(SrtpError::TooMany);
        }
        let fresh = context(self.profile, &self.keys.remote, self.provider.as_ref());
        let mut fresh = fresh.map_err(|_| SrtpError::Garbled)?;
        let plain = decrypt(&mut fresh).map_err(why)?;
        self.incoming.insert(ssrc, fresh);
        Ok(plain)
    }
}

impl std::fmt::Debug for Srtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Srtp").field("profile", &self.profile).finish_non_exhaustive()
    }
}

fn context(
    profile: ProtectionProfile,
    (key, salt): &(Vec<u8>, Vec<u8>),
    provider: &dyn RTCCryptoProvider,
) -> Result<Context, String> {
    let (rtp, rtcp) = (srtp_replay_protection(WINDOW), srtcp_replay_protection(WINDOW));
    Context::new(key, salt, profile, Some(rtp), Some(rtcp), provider.crypto())
        .map_err(|error| error.to_string())
}

/// The header as `rtc-srtp` needs it. Extensions go in as they came, byte by byte: it takes the
/// header's length from here, and padding between extensions counts.
fn header(read: &Read) -> Header {
    let packet = &read.packet;
    let extensions =
        read.extension.iter().map(|(_, body)| Extension { id: 0, payload: body.clone().into() });
    Header {
        version: 2,
        padding: read.padded,
        extension: read.extension.is_some(),
        marker: packet.marker,
        payload_type: packet.payload_type,
        sequence_number: packet.sequence,
        timestamp: packet.timestamp,
        ssrc: packet.ssrc,
        csrc: packet.csrc.clone(),
        // Any profile but the two of RFC 8285: the bytes are taken as they are.
        extension_profile: 0,
        extensions: extensions.collect(),
        extensions_padding: 0,
    }
}

#[cfg(test)]
#[path = "srtp_tests.rs"]
mod tests;
