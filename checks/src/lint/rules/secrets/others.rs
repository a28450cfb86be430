//! Secrets that are made by what is not known here.

use mxdoctor_probes::manifest::Node;

use crate::lint::Stack;

/// Groups whose objects make no Secrets but those that are known.
const SILENT: &[&str] = &[
    "bitnami.com",
    "cert-manager.io",
    "networking.cfargotunnel.com",
    "postgresql.cnpg.io",
    "traefik.containo.us",
    "traefik.io",
];

/// Whether an object of some other operator's has the name, begins it, or names it: many operators
/// put their results into a Secret of such a name.
pub(in crate::lint::rules) fn may_be_made(stack: &Stack<'_>, name: &str) -> bool {
    stack.inventory.objects().iter().any(|object| {
        let group = object.group();
        let other = group.contains('.') && !group.ends_with("k8s.io") && !SILENT.contains(&group);
        let rest = name.strip_prefix(object.name());
        let begins = !object.name().is_empty()
            && rest.is_some_and(|it| it.is_empty() || it.starts_with('-'));
        let mut says = false;
        if other {
            object.node.scalars(&mut |node: &Node| says |= node.as_str() == Some(name));
        }
        other && (begins || says)
    })
}

/// cert-manager makes the Secrets of an annotated Ingress.
pub(super) fn made_by_shim(stack: &Stack<'_>, name: &str) -> bool {
    let tls = stack.inventory.of_kind("Ingress").flat_map(|it| it.node.list("spec.tls"));
    tls.into_iter().any(|tls| tls.str("secretName") == Some(name))
}
