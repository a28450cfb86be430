//! How clients and servers find Synapse by the server name.

use mxdoctor_probes::manifest::{Entry, Object};

use crate::lint::view::{Synapse, VolumeKind, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// `serve_server_wellknown` lets Synapse answer `/.well-known/matrix/server` itself. Others ask
    /// for it at the server name, so that name has to lead to Synapse.
    ///
    /// Source: Synapse configuration manual, `serve_server_wellknown`.
    NOT_ASKED = "SYN-32" Warning: "what Synapse serves for other servers is where they ask"
    breaks "the document is served at a name that no server asks, and federation does not work"
    remedy "route the server name's /.well-known/matrix to Synapse, or turn the option off"
    cause "well-known-server-missing"
    check "kubernetes.routes"
    look not_asked
}

rule! {
    /// People type `@me:example.org`, and their client asks `example.org` for the homeserver's
    /// address, from a page of another origin: it needs the key `m.homeserver` and the header
    /// `Access-Control-Allow-Origin`.
    ///
    /// Source: Matrix client-server API, "Server discovery", "Web browser clients".
    NO_CLIENT = "SYN-33" Warning: "clients find the homeserver by the server name"
    breaks "people have to know and to type the homeserver's address"
    remedy "serve {\"m.homeserver\": {\"base_url\": \"https://HOST\"}} with \
            Access-Control-Allow-Origin: *"
    cause "well-known-client-missing"
    check "kubernetes.routes"
    look no_client
}

/// The names by which routes lead to Synapse.
fn hosts<'a>(stack: &Stack<'a>, synapse: &Synapse<'a>) -> Vec<&'a str> {
    let Some((workload, _)) = &synapse.workload else { return Vec::new() };
    let mut hosts: Vec<_> =
        stack.routes_to(workload).iter().filter_map(|route| route.host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// Whether a route leads from a name to Synapse.
fn leads(stack: &Stack<'_>, synapse: &Synapse<'_>, name: &str) -> bool {
    let workload = synapse.workload.as_ref().map(|(workload, _)| workload);
    workload.is_some_and(|it| stack.routes_to(it).iter().any(|route| route.takes(name)))
}

/// Whether people may come to Synapse by a way that is no route.
fn may_come_otherwise(stack: &Stack<'_>, synapse: &Synapse<'_>) -> bool {
    synapse.workload.as_ref().is_some_and(|(workload, _)| stack.has_other_ways(workload))
}

/// The host of the server name, without its port.
fn server<'s>(synapse: &'s Synapse<'_>) -> Option<&'s str> {
    let (_, node) = synapse.option("server_name")?;
    let name = node.as_str().filter(|name| !name.contains("${") && !name.contains('/'))?;
    name.split(':').next()
}

fn not_asked(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((file, node)) = synapse.option("serve_server_wellknown") else { continue };
        let (Some(name), hosts) = (server(synapse), hosts(stack, synapse)) else { continue };
        let may = leads(stack, synapse, name) || may_come_otherwise(stack, synapse);
        if node.as_bool() == Some(true) && !hosts.is_empty() && !may {
            let message =
                format!("other servers ask {name}, and Synapse answers {}", hosts.join(", "));
            found.at(file.object, node, message);
        }
    }
}

fn no_client(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((file, node)) = synapse.option("server_name") else { continue };
        let (Some(name), hosts) = (server(synapse), hosts(stack, synapse)) else { continue };
        // Synapse serves the document itself where the name leads to it.
        if hosts.is_empty() || leads(stack, synapse, name) {
            continue;
        }
        let routes: Vec<_> = stack.routes.iter().filter(|route| route.host == Some(name)).collect();
        if routes.is_empty() {
            if stack.may_answer(name) {
                continue;
            }
            let message = format!("nothing here answers for {name}, where clients ask for Synapse");
            found.at(file.object, node, message);
            continue;
        }
        let targets: Vec<_> = routes.iter().filter_map(|route| route.target(stack)).collect();
        let selected = targets.iter().flat_map(|service| service.selects(stack));
        for workload in selected {
            of_server(stack, workload, name, found);
        }
    }
}

/// What is wrong with the documents of a web server that evidently serves them.
fn of_server(stack: &Stack<'_>, workload: &Workload<'_>, name: &str, found: &mut Found) {
    let files = files(stack, workload);
    let holds = |text: &str| {
        let mut holding = files
            .iter()
            .filter(|(_, it)| it.node.as_str().is_some_and(|it| it.to_lowercase().contains(text)));
        holding.next().copied()
    };
    let (client, server) = (holds("m.homeserver"), holds("m.server"));
    match (client, server) {
        (None, Some((map, entry))) => {
            let message = format!("{name} tells servers the way, and clients nothing");
            found.place(map, entry.place.clone(), message);
        }
        (Some((map, entry)), _) if holds("access-control-allow-origin").is_none() => {
            let adds = |object: &Object| {
                let headers = object.at("spec.headers");
                headers.is_some_and(|it| it.get("accessControlAllowOriginList").is_some())
            };
            if !stack.inventory.of_kind("Middleware").any(adds) {
                let message = "no Access-Control-Allow-Origin is sent with this document";
                found.place(map, entry.place.clone(), message);
            }
        }
        _ => {}
    }
}

/// The files of the ConfigMaps that a workload mounts.
fn files<'a>(stack: &Stack<'a>, workload: &Workload<'a>) -> Vec<(&'a Object, &'a Entry)> {
    let mut maps: Vec<&'a Object> = Vec::new();
    for volume in workload.volumes() {
        let VolumeKind::ConfigMap(name) = volume.kind else { continue };
        let map = stack.inventory.beside(workload.object, "ConfigMap", name);
        maps.extend(map.filter(|map| !maps.iter().any(|known| std::ptr::eq(*known, *map))));
    }
    maps.into_iter().flat_map(|map| map.node.map("data").iter().map(move |it| (map, it))).collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    const TUNNEL: &str = "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  \
                          selector: {app: synapse}\n  ports: [{port: 8008}]\n---\napiVersion: \
                          networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\nmetadata: \
                          {name: t}\nsubjects:\n- {name: synapse, spec: {fqdn: \
                          matrix.a.example}}\n";

    fn web(files: &str) -> String {
        format!(
            "- {{name: web, spec: {{fqdn: a.example}}}}\n---\napiVersion: v1\nkind: \
             Service\nmetadata: {{name: web}}\nspec: {{selector: {{app: web}}, ports: [{{port: \
             80}}]}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata:\n\
             {files}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: \
             web}}\nspec: {{template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: \
             [{{name: web}}], volumes: [{{name: w, configMap: {{name: web}}}}]}}}}}}\n"
        )
    }

    #[test]
    fn what_is_served_where_nobody_asks_is_found() {
        let on = "server_name: a.example\nserve_server_wellknown: true";
        let expected = "8:29 other servers ask a.example, and Synapse answers matrix.a.example";
        assert_eq!(found("SYN-32", &(synapse(on) + TUNNEL)), [expected]);
        assert_eq!(found("SYN-32", &synapse(on)), [""; 0]);
        let own = on.replace("a.example", "matrix.a.example");
        assert_eq!(found("SYN-32", &(synapse(&own) + TUNNEL)), [""; 0]);
    }

    #[test]
    fn clients_find_the_homeserver() {
        let text = synapse("server_name: a.example") + TUNNEL;
        let expected = "7:18 nothing here answers for a.example, where clients ask for Synapse";
        assert_eq!(found("SYN-33", &text), [expected]);
        let server = "  s: '{\"m.server\": \"x:443\"}'\n";
        let client = "  c: '{\"m.homeserver\": {}}'\n";
        let cors = "  n: add_header Access-Control-Allow-Origin *;\n";
        let with = |files: &[&str]| found("SYN-33", &(text.clone() + &web(&files.concat())));
        assert_eq!(with(&[server, client, cors]), [""; 0]);
        assert_eq!(with(&[server]), ["54:3 a.example tells servers the way, and clients nothing"]);
        let expected = "55:3 no Access-Control-Allow-Origin is sent with this document";
        assert_eq!(with(&[server, client]), [expected]);
        assert_eq!(with(&["  index.html: hello\n"]), [""; 0]);
    }
}
