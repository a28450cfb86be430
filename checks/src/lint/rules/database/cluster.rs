//! The Clusters of an inventory, and which of them is Synapse's.

use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::Stack;

/// The Clusters of CloudNativePG. One that says neither how many instances nor on which volume is
/// a patch of another.
pub(super) fn clusters<'a>(stack: &Stack<'a>) -> impl Iterator<Item = &'a Object> + use<'a> {
    let whole = |it: &Object| it.at("spec.instances").is_some() || it.at("spec.storage").is_some();
    let all = stack.inventory.of_kind("Cluster");
    all.filter(move |object| object.group() == "postgresql.cnpg.io" && whole(object))
}

/// The Cluster that Synapse uses: the one that its configuration names, or the only one beside it.
pub(super) fn of_synapse<'a>(stack: &Stack<'a>) -> Option<&'a Object> {
    let mut hosts = stack.synapse.iter().filter_map(|it| it.option("database.args.host"));
    if let Some((_, host)) = hosts.next() {
        let name = host.as_str()?.split('.').next()?;
        return clusters(stack).find(|cluster| {
            let rest = name.strip_prefix(cluster.name());
            rest.is_some_and(|rest| matches!(rest, "-rw" | "-ro" | "-r"))
        });
    }
    let all: Vec<_> = clusters(stack).collect();
    match all[..] {
        [one] if !stack.synapse.is_empty() => Some(one),
        _ => None,
    }
}

/// How many instances a Cluster wants.
pub(super) fn instances(cluster: &Object) -> i64 {
    cluster.at("spec.instances").and_then(Node::as_i64).unwrap_or(1)
}
