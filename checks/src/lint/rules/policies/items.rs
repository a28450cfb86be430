//! The items of `from` and `to`.

use mxdoctor_probes::manifest::Node;

use super::selectors::{fits_nobody, line};
use crate::lint::view::policy::{
    Direction, Labels, Policy, Rule, Truth, fits, is_empty, policies, told,
};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// In one item `namespaceSelector` and `podSelector` hold together: these pods of those
    /// namespaces. A dash in front of the second makes two items of them: all pods of those
    /// namespaces, and besides these pods of the policy's own.
    ///
    /// Found where the item with the pods adds nothing: no pod of the policy's own namespace has
    /// its labels, or the item beside it lets in the whole of that namespace.
    ///
    /// Source: Kubernetes, "Network Policies", "Behavior of to and from selectors".
    APART = "NP-04" Warning: "a namespace and its pods are one item"
    breaks "every pod of the namespace is let in, and not only the one that is meant"
    remedy "take the dash away: podSelector beside namespaceSelector in the same item"
    cause "network-policy-too-wide"
    check "kubernetes.network_policies"
    look apart
}

/// An item of `from` or `to`.
pub(super) struct Item<'a> {
    pub(super) node: &'a Node,
    /// The rule that it stands in.
    pub(super) rule: Rule<'a>,
    pub(super) direction: Direction,
    index: usize,
    policy: Policy<'a>,
}

/// All items of a policy.
pub(super) fn items<'a>(policy: &Policy<'a>) -> Vec<Item<'a>> {
    let mut all = Vec::new();
    for direction in [Direction::Ingress, Direction::Egress] {
        for rule in policy.rules(direction) {
            let each = rule.peers().iter().enumerate();
            let policy = *policy;
            all.extend(each.map(|(index, node)| Item { node, rule, direction, index, policy }));
        }
    }
    all
}

impl<'a> Item<'a> {
    /// Its selector of pods, unless that fits all of them.
    pub(super) fn pods(&self) -> Option<&'a Node> {
        self.node.get("podSelector").filter(|selector| !is_empty(selector))
    }

    /// Whether it means pods of the policy's own namespace and no others.
    pub(super) fn is_beside(&self, stack: &Stack<'_>) -> bool {
        let Some(selector) = self.node.get("namespaceSelector") else { return true };
        let own = self.policy.object.namespace();
        // Another label than the name can be that of several.
        let by_name = matches!(selector.map("matchLabels"), [one] if one.key == "kubernetes.io/metadata.name");
        let fits_own = |name| fits(selector, Labels::of_namespace(stack, name)) == Truth::Yes;
        by_name && own.is_some_and(fits_own)
    }

    /// Whether it is pods alone beside an item that is a namespace alone, and adds nothing to it.
    pub(super) fn is_half(&self, stack: &Stack<'_>) -> bool {
        let Some(pods) = self.pods() else { return false };
        if self.node.get("namespaceSelector").is_some() {
            return false;
        }
        let before = self.index.checked_sub(1).and_then(|index| self.rule.peers().get(index));
        let after = self.rule.peers().get(self.index + 1);
        let nobody = fits_nobody(stack, &self.policy, pods);
        before.into_iter().chain(after).any(|other| {
            let alone = other.get("podSelector").is_none();
            let namespaces = other.get("namespaceSelector").filter(|_| alone);
            namespaces.is_some_and(|selector| nobody || self.has_own(stack, selector))
        })
    }

    /// Whether a selector of namespaces fits the policy's own.
    fn has_own(&self, stack: &Stack<'_>, selector: &Node) -> bool {
        let own = self.policy.object.namespace();
        let fits_own = |name| fits(selector, Labels::of_namespace(stack, name)) == Truth::Yes;
        is_empty(selector) || own.is_some_and(fits_own)
    }
}

fn apart(stack: &Stack<'_>, found: &mut Found) {
    for policy in policies(stack) {
        for item in items(&policy).iter().filter(|item| item.is_half(stack)) {
            let Some(pods) = item.pods() else { continue };
            let message = format!(
                "{} is an item of its own, and lets in no pod that the namespace beside it means",
                told(pods)
            );
            found.place(policy.object, line(pods).clone(), message);
        }
    }
}
