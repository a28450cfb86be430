//! `kubernetes.security`

use super::shared::judge;
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// Containers, accounts and routes of the stack have no more rights and readers than they need.
    ///
    /// ## Why it matters
    /// What is public by mistake works perfectly, so nobody notices.
    ///
    /// ## What makes it fail
    /// What the rules of this check find.
    ///
    /// ## How to fix it
    /// The finding says what to set.
    ///
    /// ## Where it comes from
    /// Kubernetes documentation, "Pod Security Standards"; the documentation of Synapse on its
    /// admin API.
    "kubernetes.security" at C: "nothing of the stack is more exposed than it must be"
    causes []
    timeout 50
}

const NEEDS: &[&str] =
    &["Deployment", "StatefulSet", "DaemonSet", "Service", "IngressRoute", "ServiceAccount"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, |_| Vec::new()).await
}
