//! The way to the API server: bounded, and for reading alone.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of one answer.
const LARGEST: usize = 16 * 1024 * 1024;

/// How to come to the API server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// A kubeconfig file; else what `KUBECONFIG` names, the pod's own service account, or the
    /// home folder's.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; else its current one.
    pub context: Option<String>,
    /// The stack's namespace; else that of the context or of the pod.
    pub namespace: Option<String>,
}

/// An API server that lets us in.
#[derive(Clone)]
pub struct Api {
    client: Client,
    /// The stack's namespace.
    pub namespace: String,
    /// The API server's address.
    pub server: String,
}

/// Why the API server did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// There is no configuration of the access, or it cannot be used.
    #[error("the access to the cluster is not configured: {0}")]
    Configuration(String),
    /// It was not reached, or its certificate is not acceptable.
    #[error("the API server cannot be asked: {0}")]
    Unreachable(String),
    /// It does not know who we are (401).
    #[error("the API server does not accept the credentials (401): {0}")]
    Unauthorized(String),
    /// We may not (403).
    #[error("the API server refuses (403): {0}")]
    Forbidden(String),
    /// There is none (404).
    #[error("the API server has none (404): {0}")]
    NotFound(String),
    /// Any other answer but a good one.
    #[error("the API server answers {0}: {1}")]
    Status(u16, String),
    /// The answer is too long, or not what was asked for.
    #[error("the API server's answer cannot be read: {0}")]
    Garbage(String),
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Access {
    /// Whether there is anything to come to a cluster with: something configured, or a pod's
    /// service account.
    pub fn in_cluster() -> bool {
        std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
    }

    /// Reads the configuration; nothing is asked yet.
    ///
    /// # Errors
    /// [`ApiError::Configuration`].
    pub async fn open(&self) -> Result<Api, ApiError> {
        let said = |error: &dyn std::error::Error| ApiError::Configuration(chain(error));
        let options =
            KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let named = std::env::var_os("KUBECONFIG").is_some_and(|path| !path.is_empty());
        let mut config = if let Some(path) = &self.kubeconfig {
            let file = Kubeconfig::read_from(path).map_err(|error| said(&error))?;
            Config::from_custom_kubeconfig(file, &options).await.map_err(|error| said(&error))?
        } else if Self::in_cluster() && !named && self.context.is_none() {
            Config::incluster().map_err(|error| said(&error))?
        } else {
            Config::from_kubeconfig(&options).await.map_err(|error| said(&error))?
        };
        // A 503 of the Service proxy is an observation.
        config.default_retry = false;
        config.connect_timeout = Some(PATIENCE);
        config.read_timeout = Some(PATIENCE);
        let server = config.cluster_url.to_string();
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|error| said(&error))?;
        Ok(Api { client, namespace, server })
    }
}

impl Api {
    /// The JSON at a path.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn json(&self, path: &str, accept: &str) -> Result<serde_json::Value, ApiError> {
        let (status, body) = self.get(path, accept, LARGEST).await?;
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|error| ApiError::Garbage(error.to_string()));
        }
        Err(refusal(status, &body))
    }

    /// The answer at a path, whatever it is, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`ApiError::Unreachable`] and [`ApiError::Garbage`].
    pub async fn get(
        &self,
        path: &str,
        accept: &str,
        limit: usize,
    ) -> Result<(StatusCode, Bytes), ApiError> {
        let request = Request::get(path)
            .header(http::header::ACCEPT, accept)
            .body(Body::empty())
            .map_err(|error| ApiError::Garbage(error.to_string()))?;
        let exchange = async {
            let response = self
                .client
                .send(request)
                .await
                .map_err(|error| ApiError::Unreachable(chain(&error)))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), limit).collect().await;
            let body = body.map_err(|error| {
                if error.downcast_ref::<LengthLimitError>().is_some() {
                    ApiError::Garbage(format!("it is longer than {limit} bytes"))
                } else {
                    ApiError::Unreachable(error.to_string())
                }
            })?;
            Ok((status, body.to_bytes()))
        };
        tokio::time::timeout(PATIENCE, exchange).await.unwrap_or_else(|_| {
            Err(ApiError::Unreachable(format!("no answer within {} s", PATIENCE.as_secs())))
        })
    }
}

/// What a bad status says: the message of a `Status` object, or the start of the text.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> ApiError {
    let said = serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .and_then(|value| Some(value.get("message")?.as_str()?.to_owned()))
        .unwrap_or_else(|| String::from_utf8_lossy(body).chars().take(200).collect());
    let said: String = said.chars().take(500).collect();
    match status.as_u16() {
        401 => ApiError::Unauthorized(said),
        403 => ApiError::Forbidden(said),
        404 => ApiError::NotFound(said),
        status => ApiError::Status(status, said),
    }
}

/// An error with what is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = source.source();
    }
    text
}
