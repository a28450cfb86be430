//! Element's container: its port, and what it writes.

use crate::lint::view::{Container, VolumeKind, Workload};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// nginx in the image listens on `ELEMENT_WEB_PORT`, 80 unless told otherwise. The Service has
    /// to send there; and a user other than root may take a port below 1024 only with
    /// `NET_BIND_SERVICE`, or where the container runtime allows it to all.
    ///
    /// Source: Element Web, `docker/nginx-templates/default.conf.template`, `docs/install.md`.
    PORT = "ELE-07" Warning: "Element listens where it may, and where its Service sends"
    breaks "nginx ends with bind() permission denied, or the Service's endpoints refuse everybody"
    remedy "set ELEMENT_WEB_PORT to \"8080\", with the same port in the container and the Service"
    cause "port-mismatch"
    check "kubernetes.services"
    look port
}

rule! {
    /// From 1.11.90 on the image writes nginx's configuration to `/etc/nginx/conf.d` and a copy of
    /// `config.json` below `/tmp` at its start.
    ///
    /// Source: Element Web, `docker/docker-entrypoint.d`, `docs/install.md`.
    READ_ONLY = "ELE-08" Error: "Element may write where its image writes"
    breaks "the container ends at its start: read-only file system"
    remedy "mount an emptyDir at /tmp and one at /etc/nginx/conf.d"
    cause "security-context-unfit"
    check "kubernetes.security"
    look read_only
}

/// Element's workloads with their containers.
fn running<'a>(stack: &Stack<'a>) -> impl Iterator<Item = (Workload<'a>, Container<'a>)> {
    stack.element.iter().filter_map(|element| element.workload)
}

/// Whether the image is at least 1.11.90, the first with templates; none where it does not say.
fn has_templates(container: &Container<'_>) -> Option<bool> {
    let version = container.image()?.version()?;
    (version.len() >= 3).then(|| version >= vec![1, 11, 90])
}

fn port(stack: &Stack<'_>, found: &mut Found) {
    for (workload, container) in running(stack) {
        let open = container.env_is_open(stack, &workload) || container.has_script();
        if open || has_templates(&container) != Some(true) {
            continue;
        }
        let env = container.env_value(stack, &workload, "ELEMENT_WEB_PORT");
        let listens = match &env {
            None => 80,
            Some(env) => match env.known().and_then(|text| text.parse::<i64>().ok()) {
                Some(port) => port,
                None => continue,
            },
        };
        // A configuration of one's own listens where it likes.
        let replaced = |path: &str| {
            let mounts = workload.mounts(&container);
            mounts.iter().any(|it| {
                it.path().starts_with(path)
                    && it.volume.is_some_and(|it| it.kind != VolumeKind::Empty)
            })
        };
        if replaced("/etc/nginx") {
            continue;
        }
        for service in stack.services_of(&workload) {
            for port in service.ports() {
                let (Some(number), Some(node)) = (port.target_number(&workload), port.target())
                else {
                    continue;
                };
                // A neighbour in the pod may be the proxy for it.
                let others = workload.main().filter(|it| it.name() != container.name());
                let neighbour = others.into_iter().any(|it| {
                    let mut ports = it.ports().iter();
                    it.ports().is_empty() || ports.any(|p| p.i64("containerPort") == Some(number))
                });
                if number != listens && !neighbour {
                    let message =
                        format!("this leads to port {number}, and Element listens on {listens}");
                    let problem = found.at(service.object, node, message);
                    if let Some(env) = &env {
                        problem.also_place(&env.place, "the port");
                    }
                }
            }
        }
        unprivileged(&workload, &container, listens, found);
    }
}

/// A port below 1024 for a user without the capability.
fn unprivileged(workload: &Workload<'_>, container: &Container<'_>, port: i64, found: &mut Found) {
    let own = container.node.get("securityContext");
    let pod = workload.pod.get("securityContext");
    let setting = |key: &str| own.and_then(|it| it.get(key)).or_else(|| pod?.get(key));
    let capabilities = own.and_then(|it| it.get("capabilities"));
    let list = |key: &str| capabilities.map_or(&[][..], |it| it.list(key));
    let has = |key: &str, name: &str| list(key).iter().any(|it| it.as_str() == Some(name));
    let user = setting("runAsUser").filter(|it| it.as_i64().is_some_and(|user| user != 0));
    let node = user.or_else(|| setting("runAsNonRoot").filter(|it| it.as_bool() == Some(true)));
    let sysctl = pod.is_some_and(|it| {
        let mut names = it.list("sysctls").iter().filter_map(|it| it.str("name"));
        names.any(|name| name == "net.ipv4.ip_unprivileged_port_start")
    });
    if let Some(node) = node.filter(|_| port < 1024 && !has("add", "NET_BIND_SERVICE") && !sysctl) {
        let message = format!("port {port} is root's, and this makes Element another user");
        found.at(workload.object, node, message);
    }
}

fn read_only(stack: &Stack<'_>, found: &mut Found) {
    for (workload, container) in running(stack) {
        let setting = container.node.at("securityContext.readOnlyRootFilesystem");
        let Some(node) = setting.filter(|node| node.as_bool() == Some(true)) else { continue };
        if has_templates(&container) != Some(true) {
            continue;
        }
        let mounts = workload.mounts(&container);
        // A whole configuration of one's own reads what it likes, and a command of one's own may
        // leave out what writes.
        let own = |path: &str| mounts.iter().any(|mount| mount.path() == path);
        if own("/etc/nginx/nginx.conf") || container.node.get("command").is_some() {
            continue;
        }
        let lacks: Vec<&str> = ["/tmp", "/etc/nginx/conf.d"]
            .into_iter()
            .filter(|path| !mounts.iter().any(|mount| mount.rest(path).is_some()))
            .collect();
        if !lacks.is_empty() {
            let message = format!("nothing can be written to {}", lacks.join(" and "));
            found.at(workload.object, node, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{element, found};

    const SERVICE: &str = "---\napiVersion: v1\nkind: Service\nmetadata: {name: element}\nspec:\n  \
                           selector: {app: element}\n  ports: [{port: 80, targetPort: 8080}]\n";
    const MOUNT: &str = "        volumeMounts:\n";

    fn with(lines: &str) -> String {
        element("{}").replace(MOUNT, &format!("        {lines}\n{MOUNT}")) + SERVICE
    }

    #[test]
    fn element_listens_where_its_service_sends() {
        let expected = "33:34 this leads to port 8080, and Element listens on 80";
        assert_eq!(found("ELE-07", &with("tty: false")), [expected]);
        let told = "env: [{name: ELEMENT_WEB_PORT, value: '8080'}]";
        assert_eq!(found("ELE-07", &with(told)), [""; 0]);
        let other = format!("{told}\n        securityContext: {{runAsUser: 101}}");
        assert_eq!(found("ELE-07", &with(&other)), [""; 0]);
        let low = with("securityContext: {runAsUser: 101}").replace("targetPort: 8080", "x: 1");
        let expected = "21:38 port 80 is root's, and this makes Element another user";
        assert_eq!(found("ELE-07", &low), [expected]);
        let may = low.replace("101}", "101, capabilities: {add: [NET_BIND_SERVICE]}}");
        assert_eq!(found("ELE-07", &may), [""; 0]);
        let old = with("tty: false").replace("v1.12.10", "v1.11.80");
        assert_eq!(found("ELE-07", &old), [""; 0]);
    }

    #[test]
    fn element_writes_at_its_start() {
        let closed = "securityContext: {readOnlyRootFilesystem: true}";
        let expected = "21:51 nothing can be written to /tmp and /etc/nginx/conf.d";
        assert_eq!(found("ELE-08", &with(closed)), [expected]);
        let both = "        - {name: t, mountPath: /tmp}\n        - {name: n, mountPath: \
                    /etc/nginx/conf.d}\n";
        let good = with(closed).replace(MOUNT, &format!("{MOUNT}{both}"));
        assert_eq!(found("ELE-08", &good), [""; 0]);
        assert_eq!(found("ELE-08", &with("tty: false")), [""; 0]);
    }

    #[test]
    fn a_neighbour_or_a_configuration_of_ones_own_is_left_alone() {
        let neighbour = "      containers:\n      - {name: proxy, image: a/b:1, ports: \
                         [{containerPort: 8080}]}\n";
        let beside = with("tty: false").replacen("      containers:\n", neighbour, 1);
        assert_eq!(found("ELE-07", &beside), [""; 0]);
        let closed = with("securityContext: {readOnlyRootFilesystem: true}");
        let own = format!("{MOUNT}        - {{name: config, mountPath: /etc/nginx/nginx.conf}}\n");
        assert_eq!(found("ELE-08", &closed.replace(MOUNT, &own)), [""; 0]);
    }
}
