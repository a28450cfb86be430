//! Which failures explain which others although no fact ties them together.
//!
//! A rule stands for an observation that leaves hardly any other reading; what is merely usual has
//! no place here.

use mxdoctor_model::Confidence;

/// One cause explains others.
pub(super) struct Rule {
    /// The deeper cause.
    pub cause: &'static str,
    /// Causes that are its consequences.
    pub explains: &'static [&'static str],
    /// How sure it is.
    pub confidence: Confidence,
}

/// The rules, deepest cause first.
///
/// For those of databases: Synapse does not start without its database, and answers what needs the
/// database with errors once it is gone; both are seen from outside while the database itself is
/// seen from the cluster.
pub(super) const RULES: &[Rule] = &[
    // From the node and the Secret outwards: what keeps pods from running leaves their workloads,
    // Services and routes without any.
    object("storage-class-missing"),
    object("sealed-secrets-key-lost"),
    object("sealed-secret-not-decrypted"),
    object("sealed-secret-unmanaged"),
    object("node-not-ready"),
    object("secret-missing"),
    object("secret-key-missing"),
    object("configmap-missing"),
    object("configmap-key-missing"),
    object("image-not-pulled"),
    object("signing-key-unreadable"),
    object("homeserver-configuration-broken"),
    object("volume-not-attached"),
    object("memory-limit-exceeded"),
    object("rollout-deadlock"),
    object("host-port-taken"),
    object("pod-security-refuses"),
    object("quota-exceeded"),
    object("workload-scaled-to-zero"),
    object("container-crashes"),
    Rule {
        cause: "service-selects-nothing",
        explains: &["route-without-endpoints", "ingress-route-missing"],
        confidence: Confidence::Likely,
    },
    Rule {
        cause: "certificate-issuer-missing",
        explains: &["tls-secret-missing", "ingress-default-certificate"],
        confidence: Confidence::Likely,
    },
    database("database-auth-failed"),
    database("database-collation-wrong"),
    database("database-connections-exhausted"),
    // Focus and bridges meet in Prosody.
    Rule {
        cause: "prosody-down",
        explains: &["jicofo-not-connected", "bridge-not-in-brewery", "component-api-unreachable"],
        confidence: Confidence::Likely,
    },
    // Nobody else answers for the focus, and it sees bridges in a room only.
    Rule {
        cause: "jicofo-not-connected",
        explains: &["jicofo-unavailable", "bridge-not-in-brewery"],
        confidence: Confidence::Likely,
    },
    // The focus chooses no bridge that calls itself ill, and older ones do not count it.
    Rule {
        cause: "bridge-unhealthy",
        explains: &["bridge-unavailable", "bridge-not-operational", "bridge-not-in-brewery"],
        confidence: Confidence::Likely,
    },
    // Nor one that it does not meet, or has given up.
    Rule {
        cause: "bridge-not-operational",
        explains: &["bridge-unavailable"],
        confidence: Confidence::Likely,
    },
    Rule {
        cause: "bridge-not-in-brewery",
        explains: &["bridge-unavailable"],
        confidence: Confidence::Likely,
    },
    Rule {
        cause: "database-down",
        explains: &["homeserver-down", "homeserver-broken"],
        confidence: Confidence::Likely,
    },
    // Media that came in since are given by those endpoints alone.
    Rule {
        cause: "authenticated-media-missing",
        explains: &["media-download-refused", "thumbnail-failed"],
        confidence: Confidence::Likely,
    },
    // What it says of its people bears the other name.
    Rule {
        cause: "server-name-is-another",
        explains: &["openid-broken"],
        confidence: Confidence::Likely,
    },
];

/// What is seen from outside of pods that do not run.
const UNSERVED: &[&str] = &[
    "workload-unavailable",
    "rollout-stuck",
    "pod-not-ready",
    "pod-not-starting",
    "container-restarts",
    "volume-pending",
    "endpoints-not-ready",
    "route-without-endpoints",
];

const fn object(cause: &'static str) -> Rule {
    Rule { cause, explains: UNSERVED, confidence: Confidence::Likely }
}

const fn database(cause: &'static str) -> Rule {
    let explains = &["database-down", "homeserver-down", "homeserver-broken"];
    Rule { cause, explains, confidence: Confidence::Likely }
}
