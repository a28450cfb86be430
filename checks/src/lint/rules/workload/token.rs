//! Whether pods can speak to the API server.

use mxdoctor_probes::manifest::{Node, Object, Origin, Place};

use super::own::{Program, own, shares};
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// Each pod is given a token for the API server unless its template or its ServiceAccount says
    /// no. Synapse, Element, Jitsi, nginx and the database's tools never use it; whoever breaks
    /// into one of them does.
    ///
    /// Of programs that are not known it is said only where they use the account `default` and
    /// nothing in the files gives that one any rights. Silent where the template says `true`.
    ///
    /// Source: Kubernetes, "Configure Service Accounts for Pods".
    MOUNTED = "WL-08" Warning: "pods that the internet talks to have no token for the API server"
    breaks "whoever breaks into the pod can ask the API server in its name"
    remedy "set automountServiceAccountToken: false in the pod template"
    cause "token-mounted"
    check "kubernetes.security"
    look mounted
}

fn mounted(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        // Either answer is a decision.
        if workload.pod.get("automountServiceAccountToken").is_some() {
            continue;
        }
        let name = workload.pod.str("serviceAccountName").unwrap_or("default");
        let mut accounts = stack.inventory.named("ServiceAccount", name);
        let account = accounts.find(|it| shares(it.namespace(), workload.object.namespace()));
        let by_account = account.and_then(|it| it.node.bool("automountServiceAccountToken"));
        // An account that is not shown may say no.
        let unseen = account.is_none() && name != "default";
        let containers = workload.containers();
        let known = !containers.is_empty()
            && containers.iter().all(|container| Program::of(container) != Program::Other);
        let useless = known || (name == "default" && gives_nothing(stack));
        if by_account == Some(false) || unseen || !useless {
            continue;
        }
        let why =
            if known { "which never needs it" } else { "and nothing here gives it any rights" };
        let message = format!("a token of the account {name} is in this pod, {why}");
        let problem = found.on(workload.object, message);
        if known && let Some(change) = refuse(workload.pod) {
            problem.fix("add automountServiceAccountToken: false", vec![change]);
        }
    }
}

/// Whether the files give no rights to the account `default`. A live namespace is listed without
/// its roles.
fn gives_nothing(stack: &Stack<'_>) -> bool {
    let kinds = ["RoleBinding", "ClusterRoleBinding"].into_iter();
    let mut bindings = kinds.flat_map(|kind| stack.inventory.of_kind(kind));
    stack.inventory.origin == Origin::Files && !bindings.any(gives_default)
}

/// Whether a binding gives rights to an account `default`, or to all accounts.
fn gives_default(binding: &Object) -> bool {
    binding.node.list("subjects").iter().any(|subject| {
        subject.str("name") == Some("default") || subject.str("kind") == Some("Group")
    })
}

/// The line that refuses the token, before the first of a pod's `spec` in block style.
fn refuse(pod: &Node) -> Option<Change> {
    let first = pod.entries().first()?;
    let place = &first.place;
    let text = place.source.line(place.line)?;
    let indent = " ".repeat(usize::try_from(place.column).ok()?.checked_sub(1)?);
    let block = text.strip_prefix(indent.as_str())?.starts_with(first.key.as_str());
    let above = place.line.checked_sub(1).filter(|line| block && *line > 0)?;
    let lines = format!("{indent}automountServiceAccountToken: false");
    Some(Change::AddAfter { place: Place::new(&place.source, above, 1, 1), lines })
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, inventory, synapse};

    const TOKEN: &str = "12:9 a token of the account default is in this pod, which never needs it";

    fn with(pod: &str) -> String {
        synapse("server_name: a").replace("    spec:\n", &format!("    spec:\n{pod}"))
    }

    #[test]
    fn a_token_is_refused() {
        assert_eq!(found("WL-08", &with("")), [TOKEN]);
        for pod in ["false", "true"] {
            let text = with(&format!("      automountServiceAccountToken: {pod}\n"));
            assert_eq!(found("WL-08", &text), [""; 0]);
        }
        let account = |name: &str, says: &str| {
            format!(
                "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}}}\n\
                 automountServiceAccountToken: {says}\n"
            )
        };
        assert_eq!(found("WL-08", &(with("") + &account("default", "false"))), [""; 0]);
        let named = with("      serviceAccountName: chat\n");
        assert_eq!(found("WL-08", &named), [""; 0]);
        assert_eq!(found("WL-08", &(named.clone() + &account("chat", "true"))).len(), 1);
        assert_eq!(found("WL-08", &(named + &account("chat", "false"))), [""; 0]);
    }

    #[test]
    fn what_may_use_it_keeps_it() {
        let other = with("").replace("matrixdotorg/synapse:1.147.0", "a/operator:1");
        assert_eq!(found("WL-08", &other).len(), 1);
        let binding = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: \
                       {name: b}\nsubjects: [{kind: ServiceAccount, name: default}]\n";
        assert_eq!(found("WL-08", &(other + binding)), [""; 0]);
    }

    #[test]
    fn the_change_is_made_in_block_style_alone() {
        let fixed = |text: &str| {
            let problems = crate::lint::run(&inventory(text)).into_iter();
            let fixes = problems.filter(|it| it.rule.id == "WL-08").map(|it| it.fix.is_some());
            fixes.collect::<Vec<_>>()
        };
        assert_eq!(fixed(&with("")), [true]);
        let flow = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: \
                    {spec: {containers: [{name: a, image: 'matrixdotorg/synapse:1.1'}]}}}\n";
        assert_eq!(fixed(flow), [false]);
    }
}
