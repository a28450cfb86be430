//! The same request at a Service and at a pod, through the API server.

use http::StatusCode;

use super::{Api, ApiError};

/// Bytes of an answer that are read.
const LIMIT: usize = 256 * 1024;

/// What the API server is to pass a request to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hop {
    /// A Service's port, by number or name.
    Service(String, String),
    /// A pod's port, by number.
    Pod(String, String),
}

/// What came back through the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HopAnswer {
    /// The application's own answer.
    Answer {
        /// Its status.
        status: u16,
        /// Its body.
        body: String,
    },
    /// The API server found nothing to pass it to, or nobody took it.
    NoBackend(String),
    /// We may not.
    Forbidden(String),
    /// There is no such Service or pod.
    NotFound(String),
}

impl Hop {
    fn path(&self, namespace: &str, path: &str) -> String {
        let (resource, name, port) = match self {
            Self::Service(name, port) => ("services", name, port),
            Self::Pod(name, port) => ("pods", name, port),
        };
        let path = path.trim_start_matches('/');
        format!("/api/v1/namespaces/{namespace}/{resource}/http:{name}:{port}/proxy/{path}")
    }
}

impl Api {
    /// Sends a GET to a hop.
    ///
    /// # Errors
    /// [`ApiError`] when the API server itself cannot be asked.
    pub async fn hop(&self, hop: &Hop, path: &str) -> Result<HopAnswer, ApiError> {
        let (status, body) = self.get(&hop.path(&self.namespace, path), "*/*", LIMIT).await?;
        Ok(read(status, &body))
    }
}

/// A `Status` object is the API server's own word; anything else is the application's.
pub(super) fn read(status: StatusCode, body: &[u8]) -> HopAnswer {
    let own = serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .filter(|value| value.get("kind").is_some_and(|kind| kind == "Status"))
        .and_then(|value| Some(value.get("message")?.as_str()?.to_owned()));
    let text = String::from_utf8_lossy(body);
    match (own, status.as_u16()) {
        (Some(said), 403) => HopAnswer::Forbidden(said),
        (Some(said), 404) => HopAnswer::NotFound(said),
        (Some(said), _) => HopAnswer::NoBackend(said),
        // The proxy's own words for a connection that fails are not always an object.
        (None, 502..=504) if text.starts_with("error trying to reach service") => {
            HopAnswer::NoBackend(text.trim().to_owned())
        }
        (None, status) => HopAnswer::Answer { status, body: text.into_owned() },
    }
}
