//! Causes in how the cluster's parts are wired: routes, certificates, tunnels, volumes, jobs.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "route-middleware-missing",
        title: "a route names a middleware that is not there",
        explanation: "Traefik takes the whole router out of service and answers 404, as if the host were unknown.",
        remedy: "Make the middleware in the route's namespace, or take its name out.",
    },
    Cause {
        id: "route-rule-unreadable",
        title: "Traefik cannot read the rule of a route",
        explanation: "The router is in error and the host is answered by 404. Traefik's log names the rule.",
        remedy: "Write the rule in the language of Traefik 3.",
    },
    Cause {
        id: "route-claimed-twice",
        title: "two routes claim the same requests",
        explanation: "Only one of them is asked, and which one depends on nothing that anybody decided.",
        remedy: "Take one of them away.",
    },
    Cause {
        id: "route-not-encrypted",
        title: "people reach the stack without TLS",
        explanation: "Passwords and tokens can be read on the way, and browsers give camera and microphone to secure pages alone.",
        remedy: "Serve it on the encrypted entry point, and redirect the other.",
    },
    Cause {
        id: "route-entry-point-unknown",
        title: "a route names an entry point that Traefik does not have",
        explanation: "Traefik takes no requests there, and drops the router: the host is answered by 404.",
        remedy: "Use one of the names in Traefik's `--entrypoints` arguments.",
    },
    Cause {
        id: "request-altered-on-the-way",
        title: "an ingress changes requests that are signed",
        explanation: "Servers sign the path of each request. Synapse verifies what arrives, which is another one.",
        remedy: "Hand Matrix paths on as they are.",
    },
    Cause {
        id: "service-exposed",
        title: "a Service that is for the stack alone can be reached from outside",
        explanation: "The database or the XMPP server answers to everybody who reaches a node.",
        remedy: "Make it a ClusterIP, and let NetworkPolicies say who may connect.",
    },
    Cause {
        id: "network-policy-without-effect",
        title: "a NetworkPolicy has a selector that meets no pod",
        explanation: "What it was to allow is cut, or what it was to guard is open. Nothing says so: a policy has no status.",
        remedy: "Use the labels of the pods; for pods on the host's network the addresses of their nodes.",
    },
    Cause {
        id: "network-policy-too-wide",
        title: "NetworkPolicies let in more than is meant",
        explanation: "Pods that have nothing to do with the stack can try its database, or the admin API of Synapse.",
        remedy: "Name the ones that need the port, by namespace and pod labels.",
    },
    Cause {
        id: "certificate-period-wrong",
        title: "a certificate's period and its renewal do not fit",
        explanation: "It is refused, or issued anew without end until the authority's limit is reached.",
        remedy: "Leave a third of the period for the renewal.",
    },
    Cause {
        id: "certificate-issuer-unfit",
        title: "an authority cannot issue for a name, or is trusted by nobody who uses it",
        explanation: "Public names need a public authority, names inside need one's own.",
        remedy: "Use the issuer that fits the name.",
    },
    Cause {
        id: "certificate-key-kept",
        title: "a certificate's key is never replaced",
        explanation: "Whoever copied the key once can go on using it.",
        remedy: "Let each renewal make a new key.",
    },
    Cause {
        id: "tunnel-target-wrong",
        title: "a tunnel leads to a Service that is not there",
        explanation: "cloudflared answers 404 or 502 for the name.",
        remedy: "Name the Service of the binding's namespace, and its port.",
    },
    Cause {
        id: "tunnel-reference-wrong",
        title: "a binding names another tunnel than it means",
        explanation: "The operator cannot publish the names, or publishes them in another zone.",
        remedy: "Name the kind, the tunnel and names of its zone.",
    },
    Cause {
        id: "tunnel-name-without-record",
        title: "a tunnel serves a name that has no record",
        explanation: "The operator was told to make none, and nobody else does: the name does not resolve.",
        remedy: "Add a CNAME of the name to `TUNNEL-ID.cfargotunnel.com`.",
    },
    Cause {
        id: "tunnel-path-shadowed",
        title: "a tunnel's rule is never asked",
        explanation: "A rule above it takes every request.",
        remedy: "Put rules with a path first.",
    },
    Cause {
        id: "tunnel-carries-no-media",
        title: "media is sent into a tunnel",
        explanation: "Cloudflare's tunnel carries HTTP for people without an enrolled device; the bridge's UDP has to be reached directly.",
        remedy: "Open UDP 10000 to the bridge's node.",
    },
    Cause {
        id: "claim-mode-unfit",
        title: "a claim asks for what its class does not have",
        explanation: "The provisioner refuses it, and the pod waits.",
        remedy: "Use an access mode of the class.",
    },
    Cause {
        id: "data-may-be-pruned",
        title: "data are deleted with the file that describes them",
        explanation: "The controller that applies the repository deletes what is no longer in it, volumes included.",
        remedy: "Forbid pruning on claims and databases.",
    },
    Cause {
        id: "volume-without-limit",
        title: "a temporary volume has no limit",
        explanation: "It can fill the node's disk, and the kubelet then evicts pods of all kinds.",
        remedy: "Give it a sizeLimit.",
    },
    Cause {
        id: "media-not-backed-up",
        title: "the media are in no backup",
        explanation: "The database's backup does not hold them.",
        remedy: "Copy the volume out of the cluster on a schedule.",
    },
    Cause {
        id: "backup-job-unfit",
        title: "a job on a schedule cannot do its work",
        explanation: "As it is written it is refused, waits for its volume, meets itself, or is refused by the server.",
        remedy: "Correct the named line, then run it once by hand: `kubectl create job --from=cronjob/NAME`.",
    },
];
