//! Where a probe looks from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The place from which a run looks at the target.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Vantage {
    /// As a user on the internet, by the public names.
    Public,
    /// The internal ingress and its own certificate authority.
    Internal,
    /// Services and pods, from inside the cluster.
    Cluster,
    /// The manifests as they are written, before anything runs; what `mxdoctor lint` looks at.
    Files,
}

impl Vantage {
    /// Every vantage from which a running stack is looked at.
    pub const ALL: &'static [Self] = &[Self::Public, Self::Internal, Self::Cluster];

    /// The word used on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Cluster => "cluster",
            Self::Files => "files",
        }
    }
}

impl std::fmt::Display for Vantage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Vantage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|vantage| vantage.as_str() == text).ok_or_else(|| {
            format!("unknown vantage `{text}`: expected public, internal or cluster")
        })
    }
}
