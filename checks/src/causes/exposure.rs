//! Causes of Jitsi's private interfaces: open to the world, or telling of trouble.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "bridge-api-public",
        title: "the bridge's private REST interface is open to the world",
        explanation: "The jvb container listens at 8080 on every address of its node and asks \
            nobody who he is. From outside anybody reads rooms and participants at `/debug` and \
            takes the bridge out of service with one request to `/colibri/drain/enable`.",
        remedy: "Close TCP 8080 and 9090 of the bridge's node in its firewall; or bind them to \
            loopback in `custom-jvb.conf` (`videobridge.http-servers.private.host = 127.0.0.1`) and \
            use exec probes.",
    },
    Cause {
        id: "focus-api-public",
        title: "Jicofo's REST interface is open to the world",
        explanation: "Jicofo's REST interface asks nobody who he is. Anybody lists conferences, and \
            moves their participants between bridges.",
        remedy: "Close TCP 8888 in the firewall, keep Jicofo off `hostNetwork`, and leave \
            `JICOFO_ENABLE_REST` unset where nothing inside needs it.",
    },
    Cause {
        id: "xmpp-ports-public",
        title: "Prosody's own ports are open to the world",
        explanation: "People reach Prosody by the web server. Its own ports are for Jicofo, the \
            bridge and components; from outside strangers can try passwords of the focus and the \
            bridges there.",
        remedy: "Keep Service `prosody` of type ClusterIP, and close TCP 5222, 5223, 5269, 5280 and \
            5347 of the nodes in the firewall.",
    },
    Cause {
        id: "bridge-not-in-brewery",
        title: "the bridge is not in its brewery",
        explanation: "Bridges and Jicofo meet in a room of the internal MUC, the brewery. A bridge \
            that is not there gets no conference, though it calls itself healthy. It cannot log in, \
            cannot find Prosody, or joins another room.",
        remedy: "Give jvb and Prosody the same `JVB_AUTH_PASSWORD`; let `XMPP_SERVER` resolve where \
            the bridge runs (`dnsPolicy: ClusterFirstWithHostNet` with `hostNetwork`); give jvb, \
            jicofo and Prosody the same `XMPP_AUTH_DOMAIN`, `XMPP_INTERNAL_MUC_DOMAIN` and \
            `JVB_BREWERY_MUC`.",
    },
    Cause {
        id: "bridge-not-operational",
        title: "Jicofo has given up bridges that it knows",
        explanation: "Bridges are in the brewery, and Jicofo found them failing: their health, a \
            conference that they refused, or no answer in time.",
        remedy: "Look for \"Health check failed\" and \"non-operational\" in the log of jicofo, and \
            at `jitsi.jvb_health` of each bridge; give the bridge CPU requests and no limit.",
    },
    Cause {
        id: "bridge-draining",
        title: "the bridge is being taken out of service",
        explanation: "The bridge is told to drain or to shut down: it keeps its conferences and \
            gets no new ones.",
        remedy: "If nobody meant that, restart the jvb container, and see who can reach its port \
            8080.",
    },
    Cause {
        id: "jicofo-unhealthy",
        title: "Jicofo's own health check fails",
        explanation: "Jicofo makes a test room every few seconds and looks for a bridge and an \
            answer of Prosody. One of them fails.",
        remedy: "See the text in the evidence and the log of jicofo.",
    },
    Cause {
        id: "prosody-module-failed",
        title: "a module of Prosody is in error",
        explanation: "Prosody runs without one of its modules. Which part of Jitsi is missing \
            depends on the module: the focus proxy, the lobby, moderation, metadata.",
        remedy: "Look for \"error\" in `kubectl -n app-matrix logs deploy/jitsi-prosody` at its \
            start; wipe what old releases left under `/config`.",
    },
    Cause {
        id: "component-api-unreachable",
        title: "a component's own interface cannot be reached from here",
        explanation: "The address that was given for it does not answer. It may be closed on \
            purpose, so this says nothing of calls.",
        remedy: "Correct the address in stack.toml, and look from where it can be reached; see \
            whether the component runs.",
    },
];
