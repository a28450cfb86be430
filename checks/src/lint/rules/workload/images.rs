//! What an image's name leads to.

use super::own::{own, shares};
use crate::lint::view::{Image, Workload};
use crate::lint::{Change, Found, Stack};
use crate::rule;

rule! {
    /// No tag at all is `latest`, and a tag without a number (`latest`, `stable`, `main`) names
    /// whatever was published last. Each node keeps what it pulled first, so two pods of one
    /// workload can be two releases, and a pod that moves to another node is an upgrade that nobody
    /// made: of Synapse with a change of the database's schema, of one part of Jitsi without the
    /// other three.
    ///
    /// Silent about tags with a number and about images that are named by digest.
    ///
    /// Source: Kubernetes, "Images".
    MOVING = "WL-01" Warning: "an image's tag names one release"
    breaks "the next restart may run another release, on one node and not on the other"
    remedy "name the release in the tag, or the image by its digest"
    cause "image-not-pinned"
    check "kubernetes.images"
    look moving
}

rule! {
    /// `imagePullPolicy: Always` asks the registry at each start, though a tag of one release leads
    /// to what the node has already. When Docker Hub limits the node's address (429) or is not
    /// reached, a pod that would have started stays in ImagePullBackOff.
    ///
    /// Silent where credentials are given for pulling, and about tags that may move, such as `16`
    /// or `latest`: to ask is what brings their updates.
    ///
    /// Source: Kubernetes, "Images", image pull policy; Docker Hub, "Pull usage and limits".
    ASKED = "WL-17" Warning: "a pod starts without asking Docker Hub for what its node has"
    breaks "during a rate limit or an outage of Docker Hub no pod is started again"
    remedy "imagePullPolicy: IfNotPresent"
    cause "registry-asked-at-each-start"
    check "kubernetes.images"
    look_in_files asked
}

fn moving(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack) {
        for container in workload.containers() {
            let Some(node) = container.node.get("image") else { continue };
            let Some(image) = container.image().filter(moves) else { continue };
            let message = match image.tag {
                None => format!("{} has no tag, which means latest", image.text),
                Some(tag) => format!("the tag {tag} names whatever was published last"),
            };
            found.at(workload.object, node, message);
        }
    }
}

/// Whether an image's name leads to something else tomorrow.
fn moves(image: &Image<'_>) -> bool {
    // A variable is filled in by somebody who may well pin it.
    if image.digest.is_some() || image.text.is_empty() || image.text.contains(['$', '{']) {
        return false;
    }
    image.tag.is_none_or(|tag| {
        tag.split('-').next() == Some("latest") || !tag.contains(|c: char| c.is_ascii_digit())
    })
}

/// Whether an image's name leads to the same for ever: by its digest, by all three numbers of a
/// release, or by one of Jitsi's.
fn stays(image: &Image<'_>) -> bool {
    let release = || image.version().is_some_and(|version| version.len() >= 3);
    let of_jitsi = || image.repository.starts_with("jitsi/");
    image.digest.is_some() || (!moves(image) && (release() || of_jitsi()))
}

fn asked(stack: &Stack<'_>, found: &mut Found) {
    for workload in own(stack).into_iter().filter(|workload| !may_log_in(stack, workload)) {
        for container in workload.containers() {
            let Some(node) = container.node.get("imagePullPolicy") else { continue };
            let Some(image) = container.image() else { continue };
            let hub = image.registry.is_none_or(|host| host.ends_with("docker.io"));
            if node.as_str() != Some("Always") || !hub || !stays(&image) {
                continue;
            }
            let message = format!("each start asks Docker Hub for {}", image.text);
            let problem = found.at(workload.object, node, message);
            if node.place.line > 0 {
                let with = "IfNotPresent".to_owned();
                let change = Change::Replace { place: node.place.clone(), with };
                problem.fix("set imagePullPolicy: IfNotPresent", vec![change]);
            }
        }
    }
}

/// Whether pods of a workload have, or may have, credentials for pulling.
fn may_log_in(stack: &Stack<'_>, workload: &Workload<'_>) -> bool {
    let named = workload.pod.str("serviceAccountName");
    let mut accounts = stack.inventory.named("ServiceAccount", named.unwrap_or("default"));
    let account = accounts.find(|account| shares(account.namespace(), workload.object.namespace()));
    !workload.pod.list("imagePullSecrets").is_empty()
        || match account {
            Some(account) => !account.node.list("imagePullSecrets").is_empty(),
            None => named.is_some_and(|name| name != "default"),
        }
}

#[cfg(test)]
mod tests {
    use super::moves;
    use crate::lint::testing::{found, synapse};
    use crate::lint::view::Image;

    fn with(image: &str, policy: &str) -> String {
        let policy = format!("image: {image}\n        imagePullPolicy: {policy}");
        synapse("server_name: a").replace("image: matrixdotorg/synapse:1.147.0", &policy)
    }

    #[test]
    fn a_release_is_named() {
        for image in ["a/b:1.2", "a/b:stable-10741", "a/b@sha256:0", "a/b:latest@sha256:0", "${I}"]
        {
            assert!(!moves(&Image::new(image)), "{image}");
        }
        for image in ["a/b", "a/b:latest", "a/b:stable", "a/b:latest-py3", "host:5000/a/b"] {
            assert!(moves(&Image::new(image)), "{image}");
        }
        let good = with("matrixdotorg/synapse:v1.147.0", "IfNotPresent");
        assert_eq!(found("WL-01", &good), [""; 0]);
        let bad = with("matrixdotorg/synapse:latest", "IfNotPresent");
        let expected = "20:16 the tag latest names whatever was published last";
        assert_eq!(found("WL-01", &bad), [expected]);
        let none = with("matrixdotorg/synapse", "IfNotPresent");
        let expected = "20:16 matrixdotorg/synapse has no tag, which means latest";
        assert_eq!(found("WL-01", &none), [expected]);
    }

    #[test]
    fn docker_hub_is_asked_once() {
        let bad = with("matrixdotorg/synapse:v1.147.0", "Always");
        let expected = "21:26 each start asks Docker Hub for matrixdotorg/synapse:v1.147.0";
        assert_eq!(found("WL-17", &bad), [expected]);
        let secret = "    spec:\n      imagePullSecrets: [{name: hub}]\n      containers";
        for silent in [
            with("matrixdotorg/synapse:v1.147.0", "IfNotPresent"),
            with("matrixdotorg/synapse:latest", "Always"),
            with("postgres:16", "Always"),
            with("ghcr.io/element-hq/synapse:v1.147.0", "Always"),
            bad.replace("    spec:\n      containers", secret),
            bad.replace("    spec:\n", "    spec:\n      serviceAccountName: synapse\n"),
        ] {
            assert_eq!(found("WL-17", &silent), [""; 0], "{silent}");
        }
    }
}
