//! What is said over the bridge channel: JSON objects with a `colibriClass`.

use std::fmt;

use serde_json::{Value, json};

/// The longest message read, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Names and ids kept of one message.
const MAX_ITEMS: usize = 256;

/// The longest name kept, in characters.
const MAX_NAME: usize = 200;

/// A message over the bridge channel.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Ours: asks for [`Message::ServerHello`] on a data channel.
    ClientHello,
    /// The bridge is there; with its release where it says so.
    ServerHello(Option<String>),
    /// From one endpoint to another, or to all with an empty `to`.
    EndpointMessage {
        /// Whom to.
        to: String,
        /// Whom from; filled in by the bridge.
        from: Option<String>,
        /// What.
        payload: Value,
    },
    /// The sources of others that the bridge forwards to us now, by name.
    ForwardedSources(Vec<String>),
    /// Who speaks.
    DominantSpeaker(String),
    /// Whether an endpoint is connected.
    Connectivity {
        /// Which.
        endpoint: String,
        /// Whether.
        active: bool,
    },
    /// What the bridge believes can be sent to us, in bits per second.
    Bandwidth(u64),
    /// Ours: how high pictures may be, so that any are forwarded at all.
    ReceiverVideoConstraints {
        /// Most pixels of height for each source.
        max_height: u32,
    },
    /// Any other class, by its name.
    Other(String),
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// It is too long, no JSON object, or without a class.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("a message of {} bytes", text.len()));
        }
        // serde_json itself bounds the depth.
        let json: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let class = json["colibriClass"].as_str().ok_or("a message without `colibriClass`")?;
        let name = |key: &str| json[key].as_str().map(short);
        let text = |key: &str| name(key).unwrap_or_default();
        Ok(match class {
            "ClientHello" => Self::ClientHello,
            "ServerHello" => Self::ServerHello(name("version")),
            "EndpointMessage" => Self::EndpointMessage {
                to: text("to"),
                from: name("from"),
                payload: json["msgPayload"].clone(),
            },
            "ForwardedSources" => {
                let all = json["forwardedSources"].as_array().cloned().unwrap_or_default();
                let names = all.iter().filter_map(Value::as_str).take(MAX_ITEMS);
                Self::ForwardedSources(names.map(short).collect())
            }
            "DominantSpeakerEndpointChangeEvent" => {
                Self::DominantSpeaker(text("dominantSpeakerEndpoint"))
            }
            "EndpointConnectivityStatusChangeEvent" => Self::Connectivity {
                endpoint: text("endpoint"),
                // The bridge writes it as text.
                active: json["active"] == true || json["active"] == "true",
            },
            "ConnectionStats" => {
                let bits = &json["estimatedDownlinkBandwidth"];
                // Some releases write a fraction.
                let whole = bits.as_u64().or_else(|| bits.as_f64().map(|bits| bits as u64));
                Self::Bandwidth(whole.unwrap_or(0))
            }
            "ReceiverVideoConstraints" => {
                let height = json["defaultConstraints"]["maxHeight"].as_u64();
                let max_height = height.and_then(|height| u32::try_from(height).ok()).unwrap_or(0);
                Self::ReceiverVideoConstraints { max_height }
            }
            other => Self::Other(short(other)),
        })
    }

    /// A message for one endpoint with a nonce, as its receiver has to see it again.
    pub fn nonce(to: &str, nonce: &str) -> Self {
        Self::EndpointMessage { to: to.into(), from: None, payload: json!({ "nonce": nonce }) }
    }

    /// The nonce of such a message.
    pub fn as_nonce(&self) -> Option<&str> {
        match self {
            Self::EndpointMessage { payload, .. } => payload["nonce"].as_str(),
            _ => None,
        }
    }
}

/// As it is on the wire.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = match self {
            Self::ClientHello => json!({ "colibriClass": "ClientHello" }),
            Self::ServerHello(None) => json!({ "colibriClass": "ServerHello" }),
            Self::ServerHello(Some(version)) => {
                json!({ "colibriClass": "ServerHello", "version": version })
            }
            Self::EndpointMessage { to, from, payload } => {
                let mut json = json!({
                    "colibriClass": "EndpointMessage", "to": to, "msgPayload": payload,
                });
                if let Some(from) = from {
                    json["from"] = from.as_str().into();
                }
                json
            }
            Self::ForwardedSources(names) => {
                json!({ "colibriClass": "ForwardedSources", "forwardedSources": names })
            }
            Self::DominantSpeaker(endpoint) => json!({
                "colibriClass": "DominantSpeakerEndpointChangeEvent",
                "dominantSpeakerEndpoint": endpoint,
            }),
            Self::Connectivity { endpoint, active } => json!({
                "colibriClass": "EndpointConnectivityStatusChangeEvent",
                "endpoint": endpoint,
                "active": active.to_string(),
            }),
            Self::Bandwidth(bits) => {
                json!({ "colibriClass": "ConnectionStats", "estimatedDownlinkBandwidth": bits })
            }
            Self::ReceiverVideoConstraints { max_height } => json!({
                "colibriClass": "ReceiverVideoConstraints",
                "lastN": -1,
                "defaultConstraints": { "maxHeight": max_height },
            }),
            Self::Other(class) => json!({ "colibriClass": class }),
        };
        json.fmt(f)
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let all = [
            Message::ClientHello,
            Message::ServerHello(None),
            Message::ServerHello(Some("2.3".into())),
            Message::nonce("abcd1234", "n"),
            Message::ForwardedSources(vec!["abcd1234-v0".into()]),
            Message::DominantSpeaker("abcd1234".into()),
            Message::Connectivity { endpoint: "abcd1234".into(), active: false },
            Message::Bandwidth(2_500_000),
            Message::ReceiverVideoConstraints { max_height: 180 },
            Message::Other("SenderSourceConstraints".into()),
        ];
        for message in all {
            assert_eq!(Message::parse(&message.to_string()), Ok(message));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in ["", "[]", "{}", "{\"colibriClass\":1}", "nonsense"] {
            assert!(Message::parse(text).is_err(), "{text}");
        }
        assert!(Message::parse(&" ".repeat(MAX_BYTES + 1)).is_err());
        assert!(Message::parse(&"[".repeat(10_000)).is_err(), "too deep");
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(
            text in "\\PC{0,200}", class in "[A-Z][a-zA-Z]{0,20}", key in "[a-z]{0,10}"
        ) {
            let _ = Message::parse(&text);
            let message = json!({ "colibriClass": class, key: text });
            prop_assert!(Message::parse(&message.to_string()).is_ok());
        }
    }
}
