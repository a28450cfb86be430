//! Everything of a namespace that may be seen, at one time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::Value;

use super::{Agreement, Api, ApiError, KINDS, Kind, Reach, SecretUse, list};
use crate::manifest::{Inventory, Object, Origin};

/// Lists that are under way at a time.
const AT_ONCE: usize = 8;
/// Objects in all.
const MOST: usize = 20_000;

/// A namespace as the API server has it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The stack's namespace.
    pub namespace: String,
    /// The API server's address.
    pub server: String,
    /// The objects.
    pub inventory: Inventory,
    /// What came of each list.
    pub listed: Vec<Listed>,
    /// What came of looking at each Secret that something refers to.
    pub secrets: BTreeMap<String, SecretUse>,
    /// Which values of Secrets are equal, by name and key; only where those were read.
    pub agreement: Option<Agreement>,
    /// When it was taken.
    pub taken: SystemTime,
}

/// What came of listing a kind in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The kind.
    pub kind: &'static Kind,
    /// The namespace; none for what is in none.
    pub namespace: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was listed.
    Listed {
        /// How many objects.
        count: usize,
        /// Whether these are all of them.
        whole: bool,
    },
    /// The API server does not serve the kind: what defines it is not installed.
    NotServed,
    /// We may not.
    Forbidden(String),
    /// Something else came between.
    Failed(ApiError),
}

impl Snapshot {
    /// A snapshot of objects that are at hand, in which everything could be listed.
    pub fn of(namespace: &str, taken: SystemTime, objects: &[Value]) -> Self {
        let objects: Vec<Object> =
            objects.iter().filter_map(|value| list::object(value, "", "")).collect();
        let count = |kind: &Kind| objects.iter().filter(|o| o.kind() == kind.kind).count();
        let listed = KINDS.iter().map(|kind| Listed {
            kind,
            namespace: (kind.reach != Reach::Cluster).then(|| namespace.to_owned()),
            outcome: Outcome::Listed { count: count(kind), whole: true },
        });
        Self {
            namespace: namespace.to_owned(),
            server: String::new(),
            listed: listed.collect(),
            secrets: BTreeMap::new(),
            agreement: None,
            taken,
            inventory: Inventory::new(Origin::Live, objects),
        }
    }

    /// What came of listing a kind of the stack's own, or of the cluster's.
    pub fn outcome(&self, kind: &str) -> Option<&Outcome> {
        self.listed.iter().find(|listed| listed.kind.kind == kind).map(|listed| &listed.outcome)
    }

    /// Whether all objects of a kind are known.
    pub fn has_all(&self, kind: &str) -> bool {
        matches!(self.outcome(kind), Some(Outcome::Listed { whole: true, .. } | Outcome::NotServed))
    }
}

impl Api {
    /// Lists everything, in the stack's namespace and in those of the operators.
    ///
    /// # Errors
    /// [`ApiError`] when the API server cannot be asked at all. What may not be listed is told by
    /// [`Snapshot::listed`].
    pub async fn snapshot(
        &self,
        operators: &[String],
        read_secrets: bool,
    ) -> Result<Snapshot, ApiError> {
        let served = self.served().await?;
        let mut asks = Vec::new();
        for kind in KINDS {
            for (kind, namespace) in places(kind, &self.namespace, operators) {
                asks.push(self.list_one(&served, kind, namespace).boxed());
            }
        }
        let answers: Vec<_> = futures_util::stream::iter(asks).buffered(AT_ONCE).collect().await;
        let (mut objects, mut listed) = (Vec::new(), Vec::new());
        for (found, mut entry) in answers {
            let room = MOST.saturating_sub(objects.len());
            if found.len() > room {
                entry.outcome = Outcome::Listed { count: room, whole: false };
            }
            objects.extend(found.into_iter().take(room));
            listed.push(entry);
        }
        let looked = self.secrets(&objects, read_secrets).await;
        // Who looks for a Secret takes the first that tells its keys.
        let (known, unknown): (Vec<_>, Vec<_>) = looked.objects.into_iter().partition(|o| o.1);
        let mut all: Vec<Object> = known.into_iter().map(|(object, _)| object).collect();
        all.append(&mut objects);
        all.extend(unknown.into_iter().map(|(object, _)| object));
        Ok(Snapshot {
            namespace: self.namespace.clone(),
            server: self.server.clone(),
            inventory: Inventory::new(Origin::Live, all),
            listed,
            secrets: looked.uses,
            agreement: looked.agreement,
            taken: SystemTime::now(),
        })
    }

    /// Groups and versions that are served: `apps/v1`.
    async fn served(&self) -> Result<BTreeSet<String>, ApiError> {
        let groups = self.json("/apis", "application/json").await?;
        let groups = groups.get("groups").and_then(Value::as_array);
        let groups =
            groups.ok_or_else(|| ApiError::Garbage("it is not a list of groups".into()))?;
        let versions = groups.iter().filter_map(|group| group.get("versions")?.as_array());
        let mut served: BTreeSet<String> = versions
            .flatten()
            .filter_map(|version| Some(version.get("groupVersion")?.as_str()?.to_owned()))
            .collect();
        served.insert("v1".into());
        Ok(served)
    }

    async fn list_one(
        &self,
        served: &BTreeSet<String>,
        kind: &'static Kind,
        namespace: Option<String>,
    ) -> (Vec<Object>, Listed) {
        let version =
            kind.versions.iter().find(|version| served.contains(&kind.api_version(version)));
        let Some(version) = version else {
            return (Vec::new(), Listed { kind, namespace, outcome: Outcome::NotServed });
        };
        let path = kind.path(version, namespace.as_deref());
        let listed = self.list(&path, &kind.api_version(version), kind.kind).await;
        let (objects, outcome) = match listed {
            Ok(found) => {
                let outcome = Outcome::Listed { count: found.objects.len(), whole: found.whole };
                (found.objects, outcome)
            }
            Err(ApiError::Forbidden(said)) => (Vec::new(), Outcome::Forbidden(said)),
            Err(ApiError::NotFound(_)) => (Vec::new(), Outcome::NotServed),
            Err(error) => (Vec::new(), Outcome::Failed(error)),
        };
        (objects, Listed { kind, namespace, outcome })
    }
}

/// Where a kind is listed.
fn places(
    kind: &'static Kind,
    namespace: &str,
    operators: &[String],
) -> Vec<(&'static Kind, Option<String>)> {
    match kind.reach {
        Reach::Namespace => vec![(kind, Some(namespace.to_owned()))],
        Reach::Cluster => vec![(kind, None)],
        Reach::Operators => operators
            .iter()
            .filter(|operator| *operator != namespace)
            .map(|operator| (kind, Some(operator.clone())))
            .collect(),
    }
}
