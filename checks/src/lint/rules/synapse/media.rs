//! What Synapse writes, and what people send.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::{RouteKind, Synapse, VolumeKind};
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
    /// A file has to pass everything in front of Synapse, and Cloudflare takes 100 MB in its plans
    /// Free and Pro. What an ingress takes is a matter of NET-12.
    ///
    /// Source: Cloudflare, "Connection limits".
    TOO_LARGE = "SYN-26" Warning: "files that Synapse takes pass Cloudflare"
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
    /// Where `http_proxy` and `https_proxy` are set, the proxy decides, and no list is needed.
    ///
    /// Source: Synapse configuration manual, `url_preview_ip_range_blacklist`.
    PREVIEWS = "SYN-28" Error: "previews of links do not reach into the cluster"
    breaks "Synapse does not start, or opens addresses inside the cluster for anybody"
    remedy "keep the list of the manual, or set url_preview_enabled: false"
    cause "configuration-incomplete"
    check "kubernetes.configmaps"
    look previews
}

/// Whether it keeps the media itself; where it does not, another process has them.
pub(in crate::lint::rules) fn keeps_media(synapse: &Synapse<'_>) -> bool {
    let option = synapse.option("enable_media_repo");
    option.is_none_or(|(_, node)| node.as_bool() != Some(false))
}

fn hidden(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((workload, container)) = synapse.workload else { continue };
        let Some((file, node)) = synapse.option("media_store_path") else { continue };
        let Some(path) = node.as_str().filter(|_| keeps_media(synapse)) else { continue };
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

fn too_large(stack: &Stack<'_>, found: &mut Found) {
    for synapse in &stack.synapse {
        let Some((file, node)) = synapse.option("max_upload_size") else { continue };
        let (Some(size), Some((workload, _))) = (bytes(node), &synapse.workload) else { continue };
        let routes = stack.routes_to(workload);
        let tunnel = routes.iter().find(|route| route.kind == RouteKind::TunnelBinding);
        if let Some(route) = tunnel.filter(|_| size > CLOUDFLARE) {
            let text = node.scalar().unwrap_or_default();
            let taken = CLOUDFLARE >> 20;
            let message = format!("max_upload_size is {text}, and Cloudflare takes {taken} MiB");
            found.at(file.object, node, message).also_place(route.object.place(), "on this way");
        }
    }
}

fn previews(stack: &Stack<'_>, found: &mut Found) {
    for synapse in stack.synapse.iter().filter(|synapse| synapse.is_whole()) {
        let Some((file, node)) = synapse.option("url_preview_enabled") else { continue };
        if node.as_bool() != Some(true) {
            continue;
        }
        // Source: Synapse, `synapse/config/repository.py`, `getproxies_environment`.
        let by_proxy = synapse.workload.is_some_and(|(workload, container)| {
            let env = container.env(stack, &workload);
            ["http_proxy", "https_proxy"]
                .iter()
                .all(|name| env.iter().any(|it| it.name.eq_ignore_ascii_case(name)))
                || container.env_is_open(stack, &workload)
                || container.has_script()
        });
        match synapse.option("url_preview_ip_range_blacklist") {
            None if by_proxy => {}
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
        let proxies = "        env:\n        - {name: http_proxy, value: 'http://p'}\n        - {name: \
                       https_proxy, value: 'http://p'}\n";
        let proxied = synapse(on).replacen("        env:\n", proxies, 1);
        assert_eq!(found("SYN-28", &proxied), [""; 0]);
    }
}
