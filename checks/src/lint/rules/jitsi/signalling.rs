//! How the parts meet in Prosody.

use super::variable::{Variable, is_named, is_on, variable};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Focus and bridge log in to Prosody. The images end at once where their password is not
    /// given; Prosody's needs both.
    ///
    /// Source: docker-jitsi-meet, `10-config` of prosody, jicofo and jvb.
    NO_PASSWORD = "JIT-09" Error: "focus and bridge have their passwords"
    breaks "the container ends with FATAL ERROR, or nobody is let in: no conference begins"
    remedy "set the variable by secretKeyRef from the Secret of Jitsi's passwords"
    cause "jitsi-secret-not-wired"
    check "kubernetes.secrets"
    look no_password
}

rule! {
    /// Without `XMPP_SERVER` the focus and the bridge look for `xmpp.meet.jitsi`.
    ///
    /// Source: docker-jitsi-meet, `jicofo.conf`, `jvb.conf`.
    NO_SERVER = "JIT-11" Error: "focus and bridge are told where Prosody is"
    breaks "they look for xmpp.meet.jitsi, which is not there, and no conference begins"
    remedy "set XMPP_SERVER to the Service of Prosody"
    cause "xmpp-server-unset"
    check "kubernetes.workloads"
    look no_server
}

rule! {
    /// People come by BOSH or WebSocket to Prosody's HTTP port, through the web server.
    ///
    /// Source: docker-jitsi-meet, `meet.conf`; Prosody, `mod_bosh`.
    NO_BOSH_PORT = "JIT-13" Error: "Prosody's Service has its HTTP port"
    breaks "the page loads and nobody can join: /http-bind and /xmpp-websocket end in 502"
    remedy "add port 5280 to the Service"
    cause "prosody-port-missing"
    check "kubernetes.services"
    look no_bosh_port
}

rule! {
    /// Jicofo's REST interface listens on loopback unless `JICOFO_ENABLE_REST` is 1.
    ///
    /// Source: docker-jitsi-meet, `jicofo.conf`.
    REST_ON_LOOPBACK = "JIT-19" Error: "Jicofo answers where its probes ask"
    breaks "the kubelet's probe is refused and kills a healthy focus again and again"
    remedy "set JICOFO_ENABLE_REST to \"1\""
    cause "listens-on-loopback"
    check "kubernetes.workloads"
    look rest_on_loopback
}

const PASSWORDS: &[(&str, &[&str])] = &[
    ("prosody", &["JICOFO_AUTH_PASSWORD", "JVB_AUTH_PASSWORD"]),
    ("jicofo", &["JICOFO_AUTH_PASSWORD"]),
    ("jvb", &["JVB_AUTH_PASSWORD"]),
];

fn no_password(stack: &Stack<'_>, found: &mut Found) {
    for (name, part) in stack.jitsi.parts() {
        let wanted = PASSWORDS.iter().filter(|(of, _)| *of == name);
        for password in wanted.flat_map(|(_, names)| names.iter()) {
            if matches!(variable(stack, &part, password), Variable::Missing) {
                let node = part.container.node;
                let place = node.get("name").unwrap_or(node);
                let message = format!("{name} is not given {password}");
                found.at(part.workload.object, place, message);
            }
        }
    }
}

fn no_server(stack: &Stack<'_>, found: &mut Found) {
    for (name, part) in stack.jitsi.parts() {
        if matches!(name, "jicofo" | "jvb")
            && !is_named(&part.workload)
            && matches!(variable(stack, &part, "XMPP_SERVER"), Variable::Missing)
        {
            let node = part.container.node;
            let place = node.get("name").unwrap_or(node);
            let message = format!("{name} is not told where Prosody is");
            found.at(part.workload.object, place, message);
        }
    }
}

fn no_bosh_port(stack: &Stack<'_>, found: &mut Found) {
    let (Some(prosody), Some(web)) = (&stack.jitsi.prosody, &stack.jitsi.web) else { return };
    // Two containers of one pod need no Service between them.
    if std::ptr::eq(prosody.workload.object, web.workload.object) {
        return;
    }
    let services = stack.services_of(&prosody.workload);
    let Some(first) = services.first() else { return };
    let mut ports = services.iter().flat_map(|service| service.ports());
    if ports.any(|port| port.target_number(&prosody.workload) == Some(5280)) {
        return;
    }
    let has: Vec<_> =
        first.ports().filter_map(|port| port.number()).map(|n| n.to_string()).collect();
    let message = format!(
        "Service {} has port {} and not 5280, by which people come to Prosody",
        first.object.name(),
        has.join(", ")
    );
    match first.object.at("spec.ports") {
        Some(node) => found.at(first.object, node, message),
        None => found.on(first.object, message),
    };
}

fn rest_on_loopback(stack: &Stack<'_>, found: &mut Found) {
    let Some(part) = &stack.jitsi.jicofo else { return };
    if is_on(stack, part, "JICOFO_ENABLE_REST") != Some(false) {
        return;
    }
    for probe in part.container.probes() {
        let Some(port) = probe.port().and_then(|node| node.scalar()) else { continue };
        let named = part.container.ports().iter().find(|it| it.str("name") == Some(port));
        let number = named.and_then(|it| it.i64("containerPort")).or_else(|| port.parse().ok());
        if number == Some(8888) {
            let message =
                format!("the {} asks port 8888, where Jicofo answers loopback only", probe.name);
            found.at(part.workload.object, probe.node, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    #[test]
    fn a_part_without_its_password_is_found() {
        let messages = found("JIT-09", &jitsi("prosody", "TZ: UTC", "hostNetwork: false"));
        assert_eq!(messages.len(), 2);
        assert!(messages[0].ends_with("prosody is not given JICOFO_AUTH_PASSWORD"), "{messages:?}");
        let given = "JVB_AUTH_PASSWORD: from-a-secret";
        assert_eq!(found("JIT-09", &jitsi("jvb", given, "hostNetwork: false")), [""; 0]);
    }

    #[test]
    fn who_looks_for_prosody_is_told_where() {
        assert_eq!(found("JIT-11", &jitsi("jicofo", "TZ: UTC", "hostNetwork: false")).len(), 1);
        let told = "XMPP_SERVER: prosody.app-matrix.svc";
        assert_eq!(found("JIT-11", &jitsi("jicofo", told, "hostNetwork: false")), [""; 0]);
    }

    #[test]
    fn people_come_to_prosody_by_its_http_port() {
        let both = jitsi("prosody", "TZ: UTC", "hostNetwork: false")
            + "---\n"
            + &jitsi("web", "TZ: UTC", "hostNetwork: false")
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: prosody}\nspec:\n  selector: \
               {app: prosody}\n  ports: [{port: 5222}]\n";
        let message = &found("JIT-13", &both)[0];
        let expected =
            "Service prosody has port 5222 and not 5280, by which people come to Prosody";
        assert!(message.ends_with(expected), "{message}");
        let good = both.replace("[{port: 5222}]", "[{port: 5222}, {port: 5280}]");
        assert_eq!(found("JIT-13", &good), [""; 0]);
    }

    #[test]
    fn a_probe_of_jicofo_needs_its_interface() {
        let probe = "readinessProbe: {httpGet: {path: /about/health, port: 8888}}";
        let text = jitsi("jicofo", "TZ: UTC", "hostNetwork: false");
        let text = text.replace("        envFrom:", &format!("        {probe}\n        envFrom:"));
        assert_eq!(found("JIT-19", &text).len(), 1);
        let on = text.replace("TZ: UTC", "JICOFO_ENABLE_REST: '1'");
        assert_eq!(found("JIT-19", &on), [""; 0]);
    }

    #[test]
    fn what_a_script_or_the_pod_says_is_not_missed() {
        let aliases = "hostAliases: [{ip: 127.0.0.1, hostnames: [xmpp.meet.jitsi]}]";
        assert_eq!(found("JIT-11", &jitsi("jicofo", "TZ: UTC", aliases)), [""; 0]);
        let text = jitsi("jicofo", "TZ: UTC", "hostNetwork: false");
        assert_eq!(found("JIT-09", &text).len(), 1);
        let script = text.replace(
            "        envFrom:",
            "        command: [/bin/sh, -c, '. /vault/secrets/a && exec /init']\n        envFrom:",
        );
        assert_eq!(found("JIT-09", &script), [""; 0]);
    }
}
