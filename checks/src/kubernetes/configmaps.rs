//! `kubernetes.configmaps`

use mxdoctor_model::Finding;

use super::shared::{View, judge};
use crate::{Cx, Verdict, check};

check! {
    /// ## What it asserts
    /// The configuration in the namespace's ConfigMaps is what the applications can work with.
    ///
    /// ## Why it matters
    /// `homeserver.yaml` and `config.json` are texts to Kubernetes: nothing looks into them before
    /// the application does.
    ///
    /// ## What makes it fail
    /// What the rules of this check find; a file of Synapse or Element that cannot be read.
    ///
    /// ## How to fix it
    /// Correct the ConfigMap and restart the workload: a file that is mounted by `subPath` does not
    /// follow its ConfigMap.
    ///
    /// ## Where it comes from
    /// The documentation of Synapse and of Element Web.
    "kubernetes.configmaps" at C: "the configuration in ConfigMaps can be used"
    causes ["homeserver-configuration-broken", "element-config-invalid"]
    timeout 50
}

const NEEDS: &[&str] = &["ConfigMap", "Deployment", "StatefulSet"];

async fn run(cx: &Cx) -> Verdict {
    judge(cx, CHECK.id, NEEDS, opinion).await
}

pub(super) fn opinion(view: &View<'_>) -> Vec<Finding> {
    let synapse = view.stack.synapse.iter().flat_map(|part| &part.configuration);
    let element = view.stack.element.iter().filter_map(|part| part.configuration.as_ref());
    let files = synapse
        .map(|file| ("homeserver-configuration-broken", file))
        .chain(element.map(|file| ("element-config-invalid", file)));
    files
        .filter_map(|(cause, file)| {
            let (place, why) = file.error.as_ref()?;
            let at = format!("{} {}", file.object, file.key);
            let text = format!("{at} cannot be read, at {place}: {why}");
            Some(Finding::fail(cause, text).on(at))
        })
        .collect()
}
