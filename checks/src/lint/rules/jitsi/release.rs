//! What a release of the images brings.

use mxdoctor_probes::manifest::Node;

use crate::lint::view::JitsiPart;
use crate::lint::{Found, Stack};
use crate::rule;

rule! {
    /// The four images are released together and tested together.
    ///
    /// Source: docker-jitsi-meet, releases.
    MIXED = "JIT-22" Warning: "the four images of Jitsi have one tag"
    breaks "parts of different releases do not understand each other in some of what they do"
    remedy "use one tag for all four"
    cause "jitsi-versions-differ"
    check "kubernetes.images"
    look mixed
}

rule! {
    /// The web server listens on 80 and 443 up to stable-11031, and on 8000 and 8443 from
    /// stable-11146 on.
    ///
    /// Source: docker-jitsi-meet, CHANGELOG.
    PORT = "JIT-23" Error: "the web server's port is the one of its release"
    breaks "the web server's Service sends to a port where nobody listens: 502"
    remedy "change the port with the tag, in the container, its probes and the Service"
    cause "port-mismatch"
    check "kubernetes.services"
    look port
}

rule! {
    /// Up to stable-11031 the images start as root, give their files to users of their own, and
    /// then change to these. As another user, or without a root that can be written, that fails.
    ///
    /// Source: docker-jitsi-meet, s6-overlay and `cont-init.d`; CHANGELOG of stable-11146.
    NOT_ROOT = "JIT-24" Warning: "the security settings of a part fit its image"
    breaks "the container ends at its start: permission denied, or read-only file system"
    remedy "leave runAsNonRoot, runAsUser and readOnlyRootFilesystem out, or use stable-11146 or \
            later"
    cause "security-context-unfit"
    check "kubernetes.security"
    look not_root
}

/// The last release that starts as root and listens on 80.
const OLD: u64 = 11_031;
/// The first that does not.
const NEW: u64 = 11_146;

/// The number of a part's release: `stable-10741`.
fn release(part: &JitsiPart<'_>) -> Option<u64> {
    let image = part.container.image()?;
    image.tag?.starts_with("stable-").then(|| image.version()?.first().copied()).flatten()
}

fn mixed(stack: &Stack<'_>, found: &mut Found) {
    let mut first: Option<(&str, &str, &Node)> = None;
    for (name, part) in stack.jitsi.parts() {
        let Some(node) = part.container.node.get("image") else { continue };
        let Some(tag) = part.container.image().and_then(|image| image.tag) else { continue };
        match first {
            None => first = Some((name, tag, node)),
            Some((other, said, there)) if said != tag => {
                let message = format!("{name} is {tag}, and {other} is {said}");
                found.at(part.workload.object, node, message).also(there, format!("{other}'s"));
            }
            Some(_) => {}
        }
    }
}

fn port(stack: &Stack<'_>, found: &mut Found) {
    let Some(part) = &stack.jitsi.web else { return };
    let Some(release) = release(part) else { return };
    let (right, wrong): (&[i64], &[i64]) = if release <= OLD {
        (&[80, 443], &[8000, 8443])
    } else if release >= NEW {
        (&[8000, 8443], &[80, 443])
    } else {
        return;
    };
    for service in stack.services_of(&part.workload) {
        for port in service.ports() {
            let (Some(number), Some(node)) = (port.target_number(&part.workload), port.target())
            else {
                continue;
            };
            if wrong.contains(&number) {
                let message = format!(
                    "stable-{release} listens on {} and {}, and this leads to {number}",
                    right[0], right[1]
                );
                let problem = found.at(service.object, node, message);
                if let Some(image) = part.container.node.get("image") {
                    problem.also(image, "the release");
                }
            }
        }
    }
}

fn not_root(stack: &Stack<'_>, found: &mut Found) {
    for (name, part) in stack.jitsi.parts() {
        if release(&part).is_none_or(|release| release > OLD) {
            continue;
        }
        let own = part.container.node.get("securityContext");
        let pod = part.workload.pod.get("securityContext");
        // The container's own setting goes before the pod's.
        let setting = |key: &str| own.and_then(|it| it.get(key)).or_else(|| pod?.get(key));
        let is_true = |node: &&Node| node.as_bool() == Some(true);
        let other = |node: &&Node| node.as_i64().is_some_and(|user| user != 0);
        let wrong = [
            ("runAsNonRoot", setting("runAsNonRoot").filter(is_true)),
            ("runAsUser", setting("runAsUser").filter(other)),
            (
                "readOnlyRootFilesystem",
                own.and_then(|it| it.get("readOnlyRootFilesystem")).filter(is_true),
            ),
        ];
        for (key, node) in wrong {
            if let Some(node) = node {
                let message = format!("{name}'s image starts as root and writes, against {key}");
                found.at(part.workload.object, node, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, jitsi};

    const SERVICE: &str = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  \
                           selector: {app: web}\n  ports: [{port: 80, targetPort: 8000}]\n";

    #[test]
    fn releases_are_not_mixed() {
        let both = |tag: &str| {
            jitsi("prosody", "TZ: UTC", "hostNetwork: false")
                + "---\n"
                + &jitsi("jvb", "TZ: UTC", "hostNetwork: false").replace("stable-10741", tag)
        };
        assert_eq!(found("JIT-22", &both("stable-10741")), [""; 0]);
        let expected = "44:16 jvb is stable-11031, and prosody is stable-10741";
        assert_eq!(found("JIT-22", &both("stable-11031")), [expected]);
    }

    #[test]
    fn the_port_is_that_of_the_release() {
        let text = jitsi("web", "TZ: UTC", "hostNetwork: false") + SERVICE;
        let expected = "30:34 stable-10741 listens on 80 and 443, and this leads to 8000";
        assert_eq!(found("JIT-23", &text), [expected]);
        let new = text.replace("stable-10741", "stable-11146");
        assert_eq!(found("JIT-23", &new), [""; 0]);
        let new = new.replace("targetPort: 8000", "targetPort: 80");
        let expected = "30:34 stable-11146 listens on 8000 and 8443, and this leads to 80";
        assert_eq!(found("JIT-23", &new), [expected]);
    }

    #[test]
    fn an_image_that_starts_as_root_may() {
        let with =
            |setting: &str| jitsi("jvb", "TZ: UTC", &format!("securityContext: {{{setting}}}"));
        let expected = "17:39 jvb's image starts as root and writes, against runAsNonRoot";
        assert_eq!(found("JIT-24", &with("runAsNonRoot: true")), [expected]);
        assert_eq!(found("JIT-24", &with("runAsUser: 1000")).len(), 1);
        assert_eq!(found("JIT-24", &with("fsGroup: 1000")), [""; 0]);
        let new = with("runAsNonRoot: true").replace("stable-10741", "stable-11146");
        assert_eq!(found("JIT-24", &new), [""; 0]);
    }
}
