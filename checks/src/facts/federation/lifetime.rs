//! For how long other homeservers keep what the delegation file says.

use std::fmt;

use http::{HeaderMap, header};
use jiff::Timestamp;

/// Where nothing is said: a day (Matrix server-server API, "Resolving server names", step 3).
const DEFAULT: u64 = 24 * 3600;

/// Nobody keeps it longer: the specification recommends two days as the limit.
pub const LONGEST: u64 = 48 * 3600;

/// Synapse keeps it this long at least (`well_known_resolver.py`).
const SHORTEST: u64 = 5 * 60;

/// The lifetime of an answer, by its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// Seconds asked for; none where nothing is said. `no-store` and a date in the past are 0.
    pub asked: Option<u64>,
}

impl Lifetime {
    /// Reads `Cache-Control`, and `Expires` where that has no say (RFC 9111, sections 5.2.2 and
    /// 5.3). What cannot be read counts as not there, but for a date, which then is in the past.
    pub fn of(headers: &HeaderMap, now: Timestamp) -> Self {
        let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|v| v.to_str().ok());
        let directives = values.flat_map(|value| value.split(',')).map(str::trim);
        let directives: Vec<_> = directives.map(str::to_ascii_lowercase).collect();
        if directives.iter().any(|directive| directive == "no-store") {
            return Self { asked: Some(0) };
        }
        let age = directives.iter().find_map(|directive| directive.strip_prefix("max-age="));
        if let Some(seconds) = age.and_then(|age| age.trim_matches('"').parse().ok()) {
            return Self { asked: Some(seconds) };
        }
        let expires = headers.get_all(header::EXPIRES).iter().next_back();
        Self { asked: expires.map(|date| date.to_str().map_or(0, |date| until(date, now))) }
    }

    /// Seconds for which peers keep it.
    pub fn kept(self) -> u64 {
        self.asked.unwrap_or(DEFAULT).clamp(SHORTEST, LONGEST)
    }
}

fn until(date: &str, now: Timestamp) -> u64 {
    let date = jiff::fmt::rfc2822::parse(date).map(|date| date.timestamp());
    date.map_or(0, |date| u64::try_from(date.as_second() - now.as_second()).unwrap_or(0))
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = spoken(self.kept());
        match self.asked {
            None => write!(f, "nothing says for how long: other servers keep it for {kept}"),
            Some(asked) if asked == self.kept() => write!(f, "other servers keep it for {kept}"),
            Some(asked) => {
                let asked = spoken(asked);
                write!(f, "to be kept for {asked}, of which other servers make {kept}")
            }
        }
    }
}

fn spoken(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..259_200 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(headers: &[(&'static str, &str)]) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header value"));
        }
        let now: Timestamp = "1994-11-06T08:49:37Z".parse().expect("a time");
        Lifetime::of(&map, now).asked
    }

    #[test]
    fn headers_are_read_as_peers_do() {
        for (headers, seconds) in [
            (&[][..], None),
            (&[("cache-control", "public, max-age=3600")], Some(3600)),
            (&[("cache-control", "MAX-AGE=\"60\"")], Some(60)),
            (&[("cache-control", "public"), ("cache-control", "max-age=5")], Some(5)),
            (&[("cache-control", "max-age=600, no-store")], Some(0)),
            (&[("cache-control", "no-cache")], None),
            (&[("cache-control", "max-age=never")], None),
            (&[("expires", "Sun, 06 Nov 1994 09:49:37 GMT")], Some(3600)),
            (&[("expires", "Sun, 06 Nov 1994 07:49:37 GMT")], Some(0)),
            (&[("expires", "0")], Some(0)),
            (&[("expires", "0"), ("cache-control", "max-age=7")], Some(7)),
        ] {
            assert_eq!(asked(headers), seconds, "{headers:?}");
        }
    }

    #[test]
    fn nobody_keeps_it_for_ever_or_not_at_all() {
        let kept = |asked| Lifetime { asked }.kept();
        assert_eq!(kept(None), 24 * 3600);
        assert_eq!(kept(Some(0)), 300);
        assert_eq!(kept(Some(3600)), 3600);
        assert_eq!(kept(Some(31_536_000)), 48 * 3600);
        let said = Lifetime { asked: Some(31_536_000) }.to_string();
        assert_eq!(said, "to be kept for 365 days, of which other servers make 48 h");
        assert_eq!(Lifetime { asked: Some(600) }.to_string(), "other servers keep it for 10 min");
    }

    proptest! {
        #[test]
        fn any_header_is_read(control in "[ -~]{0,60}", expires in "[ -~]{0,60}") {
            asked(&[("cache-control", &control), ("expires", &expires)]);
        }
    }
}
