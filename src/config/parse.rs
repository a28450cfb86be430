//! Values that are written as text: durations, addresses, overrides.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mxdoctor_probes::net::Overrides;

use super::error::ConfigError;

/// `90s`, `5m`, `1h`, `250ms`, or a number of seconds.
///
/// # Errors
/// What was expected.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration: expected for instance 30s, 5m or 250ms");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = |factor: u64| number.checked_mul(factor).map(Duration::from_secs);
    match unit.trim() {
        "ms" => Some(Duration::from_millis(number)),
        "" | "s" => seconds(1),
        "m" | "min" => seconds(60),
        "h" => seconds(3600),
        _ => None,
    }
    .ok_or_else(wrong)
}

/// Bytes as Synapse's configuration writes them: a number, with `K` or `M` behind it (1024 and
/// 1024 squared), or `G`.
///
/// # Errors
/// What was expected.
pub(super) fn size(name: &str, text: &str) -> Result<u64, ConfigError> {
    let (digits, factor) = match text.trim().char_indices().next_back() {
        Some((at, 'K' | 'k')) => (&text.trim()[..at], 1 << 10),
        Some((at, 'M' | 'm')) => (&text.trim()[..at], 1 << 20),
        Some((at, 'G' | 'g')) => (&text.trim()[..at], 1 << 30),
        _ => (text.trim(), 1_u64),
    };
    let size = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    size.filter(|size| *size > 0).ok_or_else(|| {
        let message = format!("`{text}` is not a size: expected a number of bytes, or 50M");
        ConfigError::value(name, message)
    })
}

/// `ADDR`, `ADDR:PORT`, `[ADDR6]:PORT`; port 53 unless given.
///
/// # Errors
/// What was expected.
pub(super) fn name_server(text: &str) -> Result<SocketAddr, String> {
    text.parse::<SocketAddr>()
        .or_else(|_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53)))
        .map_err(|_| {
            format!("`{text}` is not the address of a name server: expected ADDR or ADDR:PORT")
        })
}

/// A host name or an address, without a scheme, a port or a path.
///
/// # Errors
/// What was expected.
pub(super) fn host(name: &str, text: &str) -> Result<String, ConfigError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_name = !text.is_empty() && text.len() <= 255 && text.chars().all(allowed);
    let address = text.trim_start_matches('[').trim_end_matches(']');
    if is_name {
        return Ok(text.to_ascii_lowercase());
    }
    address.parse::<IpAddr>().map(|address| address.to_string()).map_err(|_| {
        let message =
            format!("`{text}` is not a host: expected a name or an address, without a port");
        ConfigError::value(name, message)
    })
}

/// `HOST[:PORT]`, `[ADDR6]:PORT`; port 3478 unless given.
///
/// # Errors
/// What was expected.
pub(super) fn stun_server(text: &str) -> Result<(String, u16), ConfigError> {
    let name = "stun-server";
    let text = text.strip_prefix("stun:").unwrap_or(text);
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok((text.to_owned(), 3478));
    }
    let Some((server, port)) = split_host(text) else { return Ok((host(name, text)?, 3478)) };
    let port = port.parse().map_err(|_| {
        ConfigError::value(name, format!("`{port}` is not a port: expected HOST or HOST:PORT"))
    })?;
    Ok((host(name, server)?, port))
}

/// Adds `HOST:PORT:ADDR[:PORT]` to the overrides; an IPv6 address stands in brackets.
///
/// # Errors
/// What was expected.
pub(super) fn add_override(overrides: &mut Overrides, text: &str) -> Result<(), String> {
    let wrong =
        || format!("`{text}` is not an override: expected HOST:PORT:ADDR or HOST:PORT:ADDR:PORT");
    let (host, rest) = split_host(text).ok_or_else(wrong)?;
    let (port, target) = rest.split_once(':').ok_or_else(wrong)?;
    let port: u16 = port.parse().map_err(|_| wrong())?;
    let target = match split_host(target) {
        Some((address, target_port)) => {
            let address: IpAddr = address.parse().map_err(|_| wrong())?;
            SocketAddr::new(address, target_port.parse().map_err(|_| wrong())?)
        }
        None => {
            let address = target.trim_start_matches('[').trim_end_matches(']');
            SocketAddr::new(address.parse().map_err(|_| wrong())?, port)
        }
    };
    match host.parse::<IpAddr>() {
        Ok(address) => {
            overrides.addresses.insert((address, port), target);
        }
        Err(_) => {
            overrides.names.entry((host.to_ascii_lowercase(), port)).or_default().push(target);
        }
    }
    Ok(())
}

/// `host:rest` or `[v6]:rest`.
fn split_host(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('[') {
        Some(rest) => rest.split_once("]:"),
        None => text.split_once(':'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert!(duration("5 parsecs").is_err());
        assert!(duration("").is_err());
        assert!(duration("99999999999999999999s").is_err());
        assert!(duration("18446744073709551615h").is_err());
    }

    #[test]
    fn overrides_take_names_and_addresses() {
        let mut overrides = Overrides::default();
        for text in [
            "Matrix.example.org:443:127.0.0.1:8443",
            "198.51.100.1:443:127.0.0.1",
            "[2001:db8::1]:443:[::1]:8443",
        ] {
            add_override(&mut overrides, text).expect(text);
        }
        let name = ("matrix.example.org".to_owned(), 443);
        assert_eq!(
            overrides.names[&name],
            ["127.0.0.1:8443".parse::<SocketAddr>().expect("address")]
        );
        let v4: SocketAddr = "198.51.100.1:443".parse().expect("address");
        assert_eq!(overrides.address(v4).to_string(), "127.0.0.1:443");
        let v6: SocketAddr = "[2001:db8::1]:443".parse().expect("address");
        assert_eq!(overrides.address(v6).to_string(), "[::1]:8443");
        for text in ["", "x", "x:443", "x:y:127.0.0.1", "x:443:nonsense", "[::1:443:127.0.0.1"] {
            assert!(add_override(&mut overrides, text).is_err(), "{text}");
        }
    }
}
