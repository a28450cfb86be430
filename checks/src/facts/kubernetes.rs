//! The stack's namespace, as its API server has it.

use std::time::Duration;

use mxdoctor_model::Finding;
use mxdoctor_probes::kube::{Api, ApiError, Snapshot};

use crate::lint::{self, Problem};
use crate::{Cx, Fact, Unavailable};

/// The way to the API server. Owned by `kubernetes.permissions`.
#[derive(Debug, Clone)]
pub struct ClusterApi;

/// Everything of the namespace that may be seen. Owned by `kubernetes.permissions`.
#[derive(Debug, Clone)]
pub struct Cluster;

/// A namespace, and what the rules find in it.
#[derive(Debug)]
pub struct Namespace {
    /// The objects, and what could not be listed.
    pub snapshot: Snapshot,
    /// What the rules find.
    pub problems: Vec<Problem>,
}

impl Namespace {
    /// A snapshot, looked at by the rules.
    pub fn new(snapshot: Snapshot) -> Self {
        let problems = lint::run(&snapshot.inventory);
        Self { snapshot, problems }
    }
}

impl Fact for ClusterApi {
    type Value = Api;
    const OWNER: &'static str = "kubernetes.permissions";

    async fn observe(&self, cx: &Cx) -> Result<Api, Unavailable> {
        let Some(kubernetes) = &cx.target().kubernetes else {
            return Err(Unavailable::by(Self::OWNER, crate::kubernetes::absent()));
        };
        kubernetes.access.open().await.map_err(|error| trouble(&error))
    }
}

impl Fact for Cluster {
    type Value = Namespace;
    const OWNER: &'static str = "kubernetes.permissions";
    const TIMEOUT: Duration = Duration::from_secs(45);

    async fn observe(&self, cx: &Cx) -> Result<Namespace, Unavailable> {
        let api = cx.fact(ClusterApi).await?;
        let kubernetes = cx.target().kubernetes.clone().unwrap_or_default();
        let taken = api.snapshot(&kubernetes.operators, kubernetes.read_secrets).await;
        Ok(Namespace::new(taken.map_err(|error| trouble(&error))?))
    }
}

/// Trouble with the API server is our own side's: it says nothing about the stack.
fn trouble(error: &ApiError) -> Unavailable {
    let cause = match error {
        ApiError::Unauthorized(_) | ApiError::Forbidden(_) => "cluster-credentials-refused",
        _ => "cluster-not-asked",
    };
    Unavailable::by("kubernetes.permissions", Finding::error_of(cause, error.to_string()))
}
