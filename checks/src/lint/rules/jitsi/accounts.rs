//! Who may open conferences.

use super::page::is_public;
use super::variable::{Variable, is_on, variable};
use crate::lint::view::VolumeKind;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// With internal accounts Prosody keeps its users below `/config/data`. The accounts of focus
    /// and bridge are made anew at each start; people's are not.
    ///
    /// Source: docker-jitsi-meet, `AUTH_TYPE`; Prosody, `data_path`.
    NOT_KEPT = "JIT-20" Warning: "people's accounts in Prosody are kept"
    breaks "all accounts are gone after the next restart of Prosody"
    remedy "mount a claim at /config"
    cause "jitsi-accounts-not-kept"
    check "kubernetes.volumes"
    look not_kept
}

rule! {
    /// Without accounts anybody on the internet opens rooms and uses the node's bandwidth. With
    /// accounts people open rooms, and guests join them.
    ///
    /// Source: docker-jitsi-meet, "Authentication".
    OPEN = "JIT-21" Warning: "not everybody may open conferences"
    breaks "strangers hold their conferences here"
    remedy "set ENABLE_AUTH and ENABLE_GUESTS to \"1\", with AUTH_TYPE jwt or internal"
    cause "conferences-open-to-all"
    check "kubernetes.workloads"
    look_in_files open
}

fn not_kept(stack: &Stack<'_>, found: &mut Found) {
    let Some(part) = &stack.jitsi.prosody else { return };
    if is_on(stack, part, "ENABLE_AUTH") != Some(true) {
        return;
    }
    match variable(stack, part, "AUTH_TYPE") {
        Variable::Missing => {}
        Variable::Given(env) if env.known() == Some("internal") => {}
        _ => return,
    }
    let (workload, container) = (&part.workload, &part.container);
    let mounts = workload.mounts(container);
    let above = mounts.iter().filter(|mount| mount.rest("/config/data").is_some());
    match above.max_by_key(|mount| mount.path().len()) {
        Some(mount) => {
            if mount.volume.is_some_and(|volume| volume.kind == VolumeKind::Empty) {
                found.at(workload.object, mount.node, "people's accounts end with the pod");
            }
        }
        None => {
            let node = container.node;
            let name = node.get("name").unwrap_or(node);
            found.at(workload.object, name, "nothing keeps people's accounts");
        }
    }
}

fn open(stack: &Stack<'_>, found: &mut Found) {
    let (Some(web), Some(prosody)) = (&stack.jitsi.web, &stack.jitsi.prosody) else { return };
    if !is_public(stack) || is_on(stack, prosody, "ENABLE_AUTH") != Some(false) {
        return;
    }
    let message = "everybody on the internet may open conferences here";
    let place = match (variable(stack, prosody, "ENABLE_AUTH"), variable(stack, web, "PUBLIC_URL"))
    {
        (Variable::Given(env), _) | (_, Variable::Given(env)) => env.place,
        _ => prosody.container.node.place.clone(),
    };
    found.place(prosody.workload.object, place, message);
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    const ROUTE: &str = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: \
                         {selector: {app: web}, ports: [{port: 80}]}\n---\napiVersion: \
                         networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: \
                         {name: t}\nsubjects: [{name: web, spec: {fqdn: meet.a.example}}]\n";

    #[test]
    fn accounts_of_people_are_kept() {
        let with = |variables: &str, volume: &str| {
            let pod = format!("volumes: [{{name: c, {volume}}}]");
            let text = jitsi("prosody", variables, &pod);
            let mount = "        volumeMounts: [{name: c, mountPath: /config}]\n        envFrom:";
            text.replace("        envFrom:", mount)
        };
        let auth = "ENABLE_AUTH: '1'";
        let expected = "22:24 people's accounts end with the pod";
        assert_eq!(found("JIT-20", &with(auth, "emptyDir: {}")), [expected]);
        let claim = "persistentVolumeClaim: {claimName: c}";
        assert_eq!(found("JIT-20", &with(auth, claim)), [""; 0]);
        assert_eq!(found("JIT-20", &with("TZ: UTC", "emptyDir: {}")), [""; 0]);
        let jwt = format!("{auth}\n  AUTH_TYPE: jwt");
        assert_eq!(found("JIT-20", &with(&jwt, "emptyDir: {}")), [""; 0]);
    }

    #[test]
    fn not_everybody_opens_conferences() {
        let both = |variables: &str| {
            jitsi("prosody", variables, "hostNetwork: false")
                + "---\n"
                + &jitsi("web", variables, "hostNetwork: false")
        };
        let url = "PUBLIC_URL: https://meet.a.example";
        let expected = "6:3 everybody on the internet may open conferences here";
        assert_eq!(found("JIT-21", &(both(url) + ROUTE)), [expected]);
        assert_eq!(found("JIT-21", &both(url)), [""; 0]);
        let auth = both(&format!("{url}\n  ENABLE_AUTH: '1'")) + ROUTE;
        assert_eq!(found("JIT-21", &auth), [""; 0]);
        let inside = both(url) + &ROUTE.replace("TunnelBinding", "Other");
        assert_eq!(found("JIT-21", &inside), [""; 0]);
    }
}
