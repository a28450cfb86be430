//! What Synapse writes, and what people send.

use mxdoctor_probes::manifest::{Node, Object};

use crate::lint::view::{RouteKind, VolumeKind};
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// Synapse writes its media below `media_store_path`, mostly in `/data`. A ConfigMap or a Secret
    /// mounted there hides the volume, and nothing can be written to it.
    ///
    /// Source: Kubernetes, "ConfigMaps": mounted read-only; Synapse's image, `/data`.
    HIDDEN = "SYN-25" Error: "Synapse may write its media"
    breaks "Synapse cannot write there: it ends at its start, or every upload ends in 500"
    remedy "mount the claim at /data, and the configuration at /config"
    cause "volume-not-writable"
    check "kubernetes.volumes"
    look hidden
}

rule! {
    /// A file has to pass everything in front of Synapse: Cloudflare takes 100 MB in its plans Free
    /// and Pro, a `buffering` middleware what it is told, nginx 1 MB unless it is told more.
    ///
    /// Source: Cloudflare, "Connection limits"; Traefik, `maxRequestBodyBytes`; ingress-nginx,
    /// `proxy-body-size`.
    TOO_LARGE = "SYN-26" Warning: "files that Synapse takes pass everything in front of it"
    breaks "people's larger files are refused with 413 on the way, and clients say nothing of why"
    remedy "lower max_upload_size to what the way takes, or raise the limit there"
    cause "ingress-upload-limit"
    check "kubernetes.routes"
    look too_large
}

rule! {
    /// With previews of links Synapse opens addresses that strangers write. It starts only with a
    /// list of the networks that it may not open; an empty list lets people look into the cluster.
    ///
    /// Source: Synapse configuration manual, `url_preview_ip_range_blacklist`.
    PREVIEWS = "SYN-28" Error: "previews of links do not reach into the cluster"
    breaks "Synapse does not start, or opens addresses inside the cluster for anybody"
    remedy "keep the list of the manual, or set url_preview_enabled: false"
    cause "configuration-incomplete"
    check "kubernetes.configmaps"
    look previews
}

fn hidden(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = synapse.workload else { continue };
        let Some((file, node)) = synapse.option("media_store_path") else { continue };
        let Some(path) = node.as_str() else { continue };
        let mounts = workload.mounts(&container);
        let above = mounts.iter().filter(|mount| mount.rest(path).is_some());
        let Some(mount) = above.max_by_key(|mount| mount.path().len()) else { continue };
        let what = match mount.volume.map(|volume| volume.kind) {
            Some(VolumeKind::ConfigMap(name)) => format!("ConfigMap {name} hides {path}"),
            Some(VolumeKind::Secret(name)) => format!("Secret {name} hides {path}"),
            Some(_) if mount.node.bool("readOnly") == Some(true) => {
                format!("{path} is mounted for reading alone")
            }
            _ => continue,
        };
        found
            .at(workload.object, mount.node, what)
            .also_place(&node.place, format!("in {}", file.key));
    }
}

/// Bytes of a size as Synapse reads it: `50M`, `512K`, or a number.
fn bytes(node: &Node) -> Option<u64> {
    let text = node.scalar()?;
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let shift = match &text[end..] {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

/// What Cloudflare takes; its MB may be of either kind.
const CLOUDFLARE: u64 = 100 << 20;
const NGINX: &str = "nginx.ingress.kubernetes.io/proxy-body-size";

fn too_large(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((file, node)) = synapse.option("max_upload_size") else { continue };
        let (Some(size), Some((workload, _))) = (bytes(node), &synapse.workload) else { continue };
        let mut limits: Vec<(u64, &str, &Object)> = Vec::new();
        for route in stack.routes_to(workload) {
            match route.kind {
                RouteKind::TunnelBinding => limits.push((CLOUDFLARE, "Cloudflare", route.object)),
                RouteKind::Ingress => {
                    // `0` is no limit.
                    let told = route.object.annotation(NGINX).and_then(bytes);
                    limits.extend(told.filter(|it| *it > 0).map(|it| (it, "nginx", route.object)));
                }
                RouteKind::IngressRoute => {
                    for middleware in route.middlewares(stack) {
                        let path = "spec.buffering.maxRequestBodyBytes";
                        let told = middleware.at(path).and_then(bytes).filter(|it| *it > 0);
                        limits.extend(told.map(|it| (it, "Traefik", middleware)));
                    }
                }
            }
        }
        let least = limits.into_iter().min_by_key(|(limit, _, _)| *limit);
        if let Some((limit, who, object)) = least.filter(|(limit, _, _)| *limit < size) {
            let text = node.scalar().unwrap_or_default();
            let message = format!("max_upload_size is {text}, and {who} takes {} MiB", limit >> 20);
            found.at(file.object, node, message).also_place(object.place(), "on this way");
        }
    }
}

fn previews(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((file, node)) = synapse.option("url_preview_enabled") else { continue };
        if node.as_bool() != Some(true) {
            continue;
        }
        match synapse.option("url_preview_ip_range_blacklist") {
            None => {
                let message = "url_preview_ip_range_blacklist is not given, and Synapse wants it";
                found.at(file.object, node, message);
            }
            Some((file, list)) if list.items().is_empty() => {
                let message = "the list of forbidden networks is empty";
                found.at(file.object, list, message);
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, synapse};

    #[test]
    fn nothing_hides_data() {
        let text = synapse("media_store_path: /data/media");
        assert_eq!(found("SYN-25", &text), [""; 0]);
        let hidden = text.replace("mountPath: /config", "mountPath: /data");
        let hidden = hidden.replace("/config/homeserver", "/data/homeserver");
        assert_eq!(found("SYN-25", &hidden), ["25:11 ConfigMap synapse-config hides /data/media"]);
        let elsewhere = hidden.replace("/data/media", "/media");
        assert_eq!(found("SYN-25", &elsewhere), [""; 0]);
    }

    #[test]
    fn files_pass_the_whole_way() {
        let with = |size: &str, route: &str| {
            synapse(&format!("max_upload_size: {size}"))
                + "---\napiVersion: v1\nkind: Service\nmetadata: {name: synapse}\nspec:\n  \
                   selector: {app: synapse}\n  ports: [{port: 8008}]\n---\n"
                + route
        };
        let tunnel = "apiVersion: networking.cfargotunnel.com/v1alpha1\nkind: TunnelBinding\n\
                      metadata: {name: t}\nsubjects: [{name: synapse, spec: {fqdn: a.example}}]\n";
        let expected = "7:22 max_upload_size is 200M, and Cloudflare takes 100 MiB";
        assert_eq!(found("SYN-26", &with("200M", tunnel)), [expected]);
        assert_eq!(found("SYN-26", &with("50M", tunnel)), [""; 0]);
        assert_eq!(found("SYN-26", &with("200M", "")), [""; 0]);
        let traefik = "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: r}\n\
                       spec: {routes: [{match: Host(`a`), middlewares: [{name: m}], services: \
                       [{name: synapse, port: 8008}]}]}\n---\napiVersion: \
                       traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: m}\nspec: \
                       {buffering: {maxRequestBodyBytes: 10485760}}\n";
        let expected = "7:22 max_upload_size is 50M, and Traefik takes 10 MiB";
        assert_eq!(found("SYN-26", &with("50M", traefik)), [expected]);
    }

    #[test]
    fn previews_have_their_list() {
        let on = "url_preview_enabled: true\n";
        let expected = "7:26 url_preview_ip_range_blacklist is not given, and Synapse wants it";
        assert_eq!(found("SYN-28", &synapse(on)), [expected]);
        let list = |list: &str| synapse(&format!("{on}url_preview_ip_range_blacklist: {list}"));
        assert_eq!(found("SYN-28", &list("[]")), ["8:37 the list of forbidden networks is empty"]);
        assert_eq!(found("SYN-28", &list("[10.0.0.0/8]")), [""; 0]);
        assert_eq!(found("SYN-28", &synapse("url_preview_enabled: false")), [""; 0]);
    }
}
