//! The clock that all senders and meters of this process share.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

/// From 1900 to 1970, in seconds (RFC 5905 section 6).
const TO_1970: u64 = 2_208_988_800;

static START: LazyLock<(Instant, SystemTime)> =
    LazyLock::new(|| (Instant::now(), SystemTime::now()));

/// Microseconds since the first use of the clock.
pub(super) fn micros(now: Instant) -> u64 {
    u64::try_from(now.saturating_duration_since(START.0).as_micros()).unwrap_or(u64::MAX)
}

/// The time in 2^-32 seconds since 1900, as sender reports have it. It never jumps: what the
/// computer's clock says is read once.
pub(super) fn ntp(now: Instant) -> u64 {
    let start = START.1.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time = start + now.saturating_duration_since(START.0);
    let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
    time.as_secs().wrapping_add(TO_1970) << 32 | fraction
}

/// Middle 32 bits of that: 65536ths of a second.
pub(super) fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// A span in 65536ths of a second.
pub(super) fn span(parts: u32) -> Duration {
    Duration::from_nanos(u64::from(parts) * 1_000_000_000 / 65_536)
}
