//! The server name, and where clients find Synapse.

use crate::lint::view::Synapse;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// The server name is the part after the colon of every user id: a host name, with a port only
    /// where one is meant, and never a URL.
    ///
    /// Source: Matrix specification, appendices, "Server Name"; Synapse refuses others.
    SERVER_NAME = "SYN-05" Error: "server_name is a host name in lower case"
    breaks "Synapse does not start, or every user id carries a name that others refuse"
    remedy "write the bare host name, in lower case"
    cause "server-name-invalid"
    check "kubernetes.configmaps"
    look server_name
}

rule! {
    /// Without `public_baseurl` Synapse takes `https://` and its server name, which is another host
    /// in every delegated deployment.
    ///
    /// Source: Synapse, `synapse/config/server.py`.
    NO_BASE_URL = "SYN-07" Error: "public_baseurl is written down where Synapse is on another host"
    breaks "well-known, links in mails and single sign-on lead to a host that is not Synapse"
    remedy "set public_baseurl to the address under which clients reach Synapse"
    cause "public-baseurl-wrong"
    check "kubernetes.configmaps"
    look no_base_url
}

rule! {
    /// `public_baseurl` is what Synapse tells clients; it has to be a name that a route leads to
    /// Synapse.
    ///
    /// Silent where people may come by a way that is no route: a proxy or a tunnel with a
    /// configuration of its own, a Service that is open by itself, a route of a kind that is not
    /// read.
    ///
    /// Source: Synapse, `public_baseurl`.
    BASE_URL_ELSEWHERE = "SYN-08" Error: "public_baseurl is a name that leads to Synapse"
    breaks "logins by redirect and links to media lead elsewhere"
    remedy "use one host in public_baseurl, in the routes and in Element's base_url"
    cause "public-baseurl-wrong"
    check "kubernetes.routes"
    look base_url_elsewhere
}

fn server_name(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((file, node)) = synapse.option("server_name") else {
            if synapse.is_whole() {
                let first = &synapse.configuration[0];
                found.at(first.object, &first.node, "server_name is not written down");
            }
            continue;
        };
        let Some(name) = node.scalar() else { continue };
        let host = name.strip_prefix('[').map_or(name, |_| "");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
        let wrong = if name.contains("://") || name.contains('/') {
            "a URL, where a bare host name is expected"
        } else if name.chars().any(|c| c.is_ascii_uppercase()) {
            "in upper case, which other servers do not take for the same name"
        } else if name.is_empty() || (!name.contains("${") && !host.chars().all(plain)) {
            "no host name"
        } else {
            continue;
        };
        found.at(file.object, node, format!("server_name {name} is {wrong}"));
    }
}

fn no_base_url(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        if synapse.option("public_baseurl").is_some() {
            continue;
        }
        let Some((file, name)) = synapse.option("server_name") else { continue };
        let Some(text) = name.as_str() else { continue };
        let hosts = hosts(stack, synapse);
        if hosts.is_empty() || may_lead(stack, synapse, text) {
            continue;
        }
        let message = format!(
            "public_baseurl is not written down, so that it is https://{text}/, while {} leads to \
             Synapse",
            hosts[0]
        );
        let remedy = format!("public_baseurl: https://{}/", hosts[0]);
        found.at(file.object, name, message).remedy(remedy);
    }
}

fn base_url_elsewhere(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((file, node)) = synapse.option("public_baseurl") else { continue };
        let Some(text) = node.as_str().filter(|text| !text.contains("${")) else { continue };
        let after = text.split_once("://").map_or(text, |(_, rest)| rest);
        let host = after.split(['/', ':']).next().unwrap_or_default();
        let hosts = hosts(stack, synapse);
        if hosts.is_empty() || may_lead(stack, synapse, host) || stack.is_lost(host) {
            continue;
        }
        let message =
            format!("{host} leads nowhere here; Synapse is reached by {}", hosts.join(", "));
        let problem = found.at(file.object, node, message);
        for route in stack.routes.iter().filter(|route| route.host == Some(hosts[0])) {
            problem.also_place(&route.place, "leads to Synapse");
        }
    }
}

/// Whether a name leads to Synapse by a route, or may by a way that is none.
fn may_lead(stack: &Stack<'_>, synapse: &Synapse<'_>, name: &str) -> bool {
    let Some((workload, _)) = &synapse.workload else { return true };
    stack.routes_to(workload).iter().any(|route| route.takes(name))
        || stack.has_other_ways(workload)
}

/// The names by which routes lead to Synapse.
fn hosts<'a>(stack: &Stack<'a>, synapse: &Synapse<'a>) -> Vec<&'a str> {
    let Some((workload, _)) = &synapse.workload else { return Vec::new() };
    let mut hosts: Vec<&str> =
        stack.routes_to(workload).iter().filter_map(|route| route.host).collect();
    hosts.dedup();
    hosts
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    /// The tunnel's way from a name to Synapse.
    fn routed(homeserver: &str) -> String {
        synapse(homeserver)
            + "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  selector: \
               {app: synapse}\n  ports: [{port: 8008}]\n---\napiVersion: \
               networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: {name: t}\n\
               subjects:\n- name: synapse\n  spec: {fqdn: matrix.a.example}\n"
    }

    #[test]
    fn a_server_name_is_a_bare_host() {
        let wrong = synapse("server_name: https://a.example");
        let expected = "7:18 server_name https://a.example is a URL, where a bare host name is \
                        expected";
        assert_eq!(found("SYN-05", &wrong), [expected]);
        assert_eq!(found("SYN-05", &synapse("server_name: A.example")).len(), 1);
        assert_eq!(found("SYN-05", &synapse("report_stats: false")).len(), 1);
        for good in ["a.example", "a.example:8448", "'[2001:db8::1]'"] {
            assert_eq!(found("SYN-05", &synapse(&format!("server_name: {good}"))), [""; 0]);
        }
    }

    #[test]
    fn a_delegated_server_says_where_it_is() {
        let wrong = routed("server_name: a.example");
        assert_eq!(found("SYN-07", &wrong).len(), 1);
        let good = routed("server_name: a.example\npublic_baseurl: https://matrix.a.example/");
        assert_eq!(found("SYN-07", &good), [""; 0]);
        assert_eq!(found("SYN-08", &good), [""; 0]);
        assert_eq!(found("SYN-07", &routed("server_name: matrix.a.example")), [""; 0]);
    }

    #[test]
    fn a_base_url_is_a_name_that_is_routed() {
        let wrong = routed("public_baseurl: https://chat.a.example/");
        let expected = "7:21 chat.a.example leads nowhere here; Synapse is reached by \
                        matrix.a.example";
        assert_eq!(found("SYN-08", &wrong), [expected]);
    }

    #[test]
    fn a_name_may_lead_to_synapse_otherwise() {
        let text = routed("public_baseurl: https://chat.a.example/");
        let star = text.replace("fqdn: matrix.a.example", "fqdn: '*.a.example'");
        assert_eq!(found("SYN-08", &star), [""; 0]);
        let open = text.replace("spec:\n  selector", "spec:\n  type: LoadBalancer\n  selector");
        assert_eq!(found("SYN-08", &open), [""; 0]);
        let route = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: \
                     h}\nspec: {hostnames: [chat.a.example], rules: [{backendRefs: [{name: synapse, \
                     port: 8008}]}]}\n";
        assert_eq!(found("SYN-08", &(text + route)), [""; 0]);
    }
}
