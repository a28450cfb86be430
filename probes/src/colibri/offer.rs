//! What the bridge offers for an endpoint.

use serde_json::Value;

use crate::dtls::Fingerprint;
use crate::ice::{Candidate, Credentials};

/// Candidates and fingerprints read at most, each.
const MAX_ITEMS: usize = 256;

/// The bridge's side of an endpoint's transport.
#[derive(Debug, Clone)]
pub struct Offer {
    /// ICE user name fragment and password.
    pub credentials: Credentials,
    /// UDP candidates of component 1, as offered.
    pub candidates: Vec<Candidate>,
    /// Candidates of other kinds (TCP, host names), in words.
    pub unusable: Vec<String>,
    /// Digests of the bridge's certificate.
    pub fingerprints: Vec<Fingerprint>,
}

impl Offer {
    /// Reads the answer to a create request (colibri2 as JSON).
    ///
    /// # Errors
    /// What is missing or malformed.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let json: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let transport = &json["endpoints"][0]["transport"]["transport"];
        let text = |key: &str| {
            transport[key]
                .as_str()
                .filter(|text| (1..=256).contains(&text.len()))
                .map(str::to_owned)
                .ok_or_else(|| format!("the endpoint's transport has no usable `{key}`"))
        };
        let credentials = Credentials { ufrag: text("ufrag")?, pwd: text("pwd")? };
        let list = |key: &str| transport[key].as_array().cloned().unwrap_or_default();
        let fingerprints: Vec<Fingerprint> =
            list("fingerprints").iter().take(MAX_ITEMS).filter_map(fingerprint).collect();
        if fingerprints.is_empty() {
            return Err("the endpoint's transport has no fingerprint".into());
        }
        let (mut candidates, mut unusable) = (Vec::new(), Vec::new());
        for item in list("candidates").iter().take(MAX_ITEMS) {
            match candidate(item) {
                Some(candidate) => candidates.push(candidate),
                None => unusable.push(item.to_string().chars().take(200).collect()),
            }
        }
        Ok(Self { credentials, candidates, unusable, fingerprints })
    }
}

/// Numbers may come as text, as they do from the bridge.
fn candidate(item: &Value) -> Option<Candidate> {
    Candidate::signalled(|key| match &item[key] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn fingerprint(item: &Value) -> Option<Fingerprint> {
    Fingerprint::signalled(item["hash"].as_str()?, item["fingerprint"].as_str()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_numbers_as_text_and_leaves_tcp_aside() {
        let body = br#"{"endpoints":[{"id":"a","transport":{"transport":{
            "ufrag":"u","pwd":"p","fingerprints":[{"hash":"SHA-256","fingerprint":"ab:cd"}],
            "candidates":[
              {"component":"1","protocol":"udp","type":"host","ip":"198.51.100.2","port":"10000",
               "priority":"2130706431"},
              {"component":1,"protocol":"udp","type":"srflx","ip":"2001:db8::2","port":10000},
              {"component":"1","protocol":"tcp","type":"host","ip":"198.51.100.2","port":"443"},
              {"component":"1","protocol":"udp","type":"host","ip":"x.local","port":"1"}]}}}]}"#;
        let offer = Offer::parse(body).expect("an offer");
        assert_eq!(offer.candidates.len(), 2);
        assert_eq!(offer.candidates[0].to_string(), "198.51.100.2:10000 (host)");
        assert_eq!(offer.candidates[1].to_string(), "[2001:db8::2]:10000 (srflx)");
        assert_eq!(offer.unusable.len(), 2);
        assert_eq!(offer.fingerprints[0].to_string(), "sha-256 AB:CD");
        assert!(!format!("{offer:?}").contains("\"p\""), "the password is not printed");
    }

    #[test]
    fn says_what_is_missing() {
        let error = Offer::parse(br#"{"endpoints":[{"id":"a"}]}"#).expect_err("no transport");
        assert!(error.contains("ufrag"), "{error}");
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(body in "\\PC{0,200}") {
            let _ = Offer::parse(body.as_bytes());
        }
    }
}
