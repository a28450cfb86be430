//! Which workloads these rules look at, and what runs in them.

pub(super) use mxdoctor_probes::manifest::shares;
use mxdoctor_probes::manifest::{Node, Object, Origin};

use crate::lint::Stack;
use crate::lint::view::{Container, Workload};

/// A program of the stack, as its image tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// Synapse, its main process or a worker.
    Synapse,
    /// Element Web, from 1.11.90 on: the first that needs no root.
    Element,
    /// One of Jitsi's four parts, by the last part of its image's name.
    Jitsi(&'static str),
    /// nginx as it is built for users other than root.
    Nginx,
    /// PostgreSQL's programs in the image of CloudNativePG.
    Postgres,
    /// Anything else.
    Other,
}

impl Program {
    /// What runs in a container.
    pub(super) fn of(container: &Container<'_>) -> Self {
        let Some(image) = container.image() else { return Self::Other };
        let templates = || image.version().is_some_and(|version| version >= vec![1, 11, 90]);
        match (image.repository, image.base()) {
            ("jitsi/prosody", _) => Self::Jitsi("prosody"),
            ("jitsi/jicofo", _) => Self::Jitsi("jicofo"),
            ("jitsi/jvb", _) => Self::Jitsi("jvb"),
            ("jitsi/web", _) => Self::Jitsi("web"),
            ("cloudnative-pg/postgresql", _) => Self::Postgres,
            (_, "synapse") => Self::Synapse,
            (_, "element-web") if templates() => Self::Element,
            (_, "nginx-unprivileged") => Self::Nginx,
            _ => Self::Other,
        }
    }
}

/// The workloads of the stack and what lies beside it: all of the namespaces that a part of the
/// stack is in. Without a part, all of what the files show. What an operator made is not the
/// reader's to change.
pub(super) fn own<'a>(stack: &Stack<'a>) -> Vec<Workload<'a>> {
    let synapse = stack.synapse.iter().filter_map(|part| part.workload);
    let element = stack.element.iter().filter_map(|part| part.workload);
    let parts = synapse.chain(element).map(|(workload, _)| workload.object.namespace());
    let jitsi = stack.jitsi.parts().into_iter();
    let jitsi = jitsi.map(|(_, part)| part.workload.object.namespace());
    let namespaces: Vec<Option<&str>> = parts.chain(jitsi).collect();
    let all = namespaces.is_empty() && stack.inventory.origin == Origin::Files;
    let here = |workload: &&Workload<'a>| {
        let namespace = workload.object.namespace();
        all || namespace.is_none() || namespaces.contains(&namespace)
    };
    stack.workloads.iter().filter(here).filter(|it| !is_operated(it.object)).copied().collect()
}

/// Whether a controller made an object, and would make it anew as it was.
pub(super) fn is_operated(object: &Object) -> bool {
    !object.node.list("metadata.ownerReferences").is_empty()
}

/// Whether something else sets how many pods a workload has.
pub(super) fn is_scaled(stack: &Stack<'_>, workload: &Workload<'_>) -> bool {
    let kinds = ["HorizontalPodAutoscaler", "ScaledObject"].into_iter();
    let scalers = kinds.flat_map(|kind| stack.inventory.of_kind(kind));
    targets(scalers, "spec.scaleTargetRef.name", workload)
}

/// Whether one of these objects names a workload at a path.
pub(super) fn targets<'a>(
    mut objects: impl Iterator<Item = &'a Object>,
    path: &str,
    workload: &Workload<'_>,
) -> bool {
    objects.any(|object| {
        object.node.str(path) == Some(workload.object.name())
            && shares(object.namespace(), workload.object.namespace())
    })
}

/// Where to point when a container lacks something: its name.
pub(super) fn name<'a>(container: &Container<'a>) -> &'a Node {
    container.node.get("name").unwrap_or(container.node)
}

/// The main process of Synapse, where a container is it.
pub(super) fn is_main_synapse(
    stack: &Stack<'_>,
    workload: &Workload<'_>,
    container: &Container<'_>,
) -> bool {
    let mut mains = stack.synapse.iter().filter_map(|part| part.workload);
    mains.any(|(its, main)| {
        std::ptr::eq(its.object, workload.object) && std::ptr::eq(main.node, container.node)
    })
}

#[cfg(test)]
mod tests {
    use super::{Program, own};
    use crate::lint::Stack;
    use crate::lint::testing::{inventory, jitsi, synapse};

    fn names(text: &str) -> Vec<String> {
        let inventory = inventory(text);
        let stack = Stack::new(&inventory);
        own(&stack).iter().map(|workload| workload.object.name().to_owned()).collect()
    }

    #[test]
    fn what_lies_beside_the_stack_is_looked_at() {
        let inside = |name: &str, namespace: &str, more: &str| {
            let pod = "{containers: [{name: a, image: 'a:1'}]}";
            format!(
                "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: \
                 {namespace}{more}}}\nspec: {{template: {{spec: {pod}}}}}\n"
            )
        };
        let main = synapse("server_name: a").replacen(
            "  name: synapse\nspec",
            "  name: synapse\n  namespace: m\nspec",
            1,
        );
        let owned = ", ownerReferences: [{kind: Tunnel, name: t}]";
        let text = main + &inside("bot", "m", "") + &inside("cloudflared", "m", owned);
        let text = text + &inside("webhook", "cert-manager", "");
        assert_eq!(names(&text), ["synapse", "bot"]);
        assert_eq!(names(&inside("job", "x", "")), ["job"]);
    }

    #[test]
    fn images_tell_programs() {
        let of = |text: &str| {
            let inventory = inventory(text);
            let stack = Stack::new(&inventory);
            Program::of(&stack.workloads[0].containers()[0])
        };
        assert_eq!(of(&synapse("server_name: a")), Program::Synapse);
        assert_eq!(of(&jitsi("jvb", "TZ: UTC", "hostPID: false")), Program::Jitsi("jvb"));
        let nginx = jitsi("web", "TZ: UTC", "hostPID: false");
        assert_eq!(of(&nginx.replace("jitsi/web:stable-10741", "nginx:1")), Program::Other);
    }
}
