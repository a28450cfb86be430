//! Causes seen on the way over UDP to the video bridge.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "udp-blocked",
        title: "UDP to the video bridge is blocked",
        explanation: "The bridge is alive and offers its addresses, and nothing comes back from \
            them over UDP. A firewall, a security group or a NAT without forwarding drops the \
            packets on their way there, or the answers on their way back; from one side the two \
            look alike.",
        remedy: "Open UDP 10000 inbound to the node that runs the bridge (cloud firewall and host \
            firewall), with answers outbound. The jvb deployment needs `hostNetwork: true` or \
            `hostPort: 10000` with protocol UDP, or a load balancer for UDP. Watch \
            `tcpdump -ni any udp port 10000` on the node while the check runs: packets there and \
            no answers means that the answers are blocked.",
    },
    Cause {
        id: "bridge-advertises-private-address",
        title: "the bridge advertises private addresses only",
        explanation: "The bridge knows only the addresses of its own interfaces and offers those. \
            From the internet they lead nowhere.",
        remedy: "Set `JVB_ADVERTISE_IPS` on the jvb container to the public address of its node \
            (the Downward API's `status.hostIP` where that is public), or let it ask a STUN \
            server (`JVB_STUN_SERVERS`, and `JVB_DISABLE_STUN` not set).",
    },
    Cause {
        id: "bridge-advertises-wrong-address",
        title: "the bridge advertises an address that is not its own",
        explanation: "An address that the bridge offers does not lead to it: nothing listens \
            there, or something else answers. Left over from a former node, a changed dynamic \
            address, or a port that differs from the forwarded one.",
        remedy: "Correct `JVB_ADVERTISE_IPS` (or the deprecated `DOCKER_HOST_ADDRESS`) on the jvb \
            container; `ip#port` where the outer port differs. Keep the bridge on the node whose \
            address that is.",
    },
    Cause {
        id: "bridge-only-ipv6",
        title: "the bridge advertises no public IPv4 address",
        explanation: "Every public address that the bridge offers is IPv6. Many networks have \
            none, and people there join calls that stay silent.",
        remedy: "Add the public IPv4 address of the bridge's node to `JVB_ADVERTISE_IPS` on the \
            jvb container, and forward UDP 10000 there.",
    },
    Cause {
        id: "bridge-port-unusual",
        title: "the bridge advertises another port than 10000, and it is silent",
        explanation: "The port offered is not the usual one, and nothing answers there: the \
            firewall, the Service or the forwarding was made for another port than the bridge \
            tells people.",
        remedy: "Make `JVB_PORT` on the jvb container, the container's port, the Service and the \
            firewall's rule the same port (10000); with a `nodePort` or a forwarded port give the \
            outer one, as `JVB_ADVERTISE_IPS=ip#port` or by `JVB_PORT`.",
    },
    Cause {
        id: "bridge-address-shared",
        title: "not the same bridge answers everybody at its address",
        explanation: "Two guests of one conference were given the same address of the same bridge; \
            it answers one and is silent to the other. A bridge is silent to whom it does not \
            know: packets of some people end at another bridge, as behind a load balancer or a \
            Service with several pods.",
        remedy: "Give each bridge a public address or port of its own (`JVB_PORT`, \
            `JVB_ADVERTISE_IPS`), or run one replica; a UDP load balancer needs \
            `externalTrafficPolicy: Local` and one bridge behind each address.",
    },
    Cause {
        id: "nat-hairpin-missing",
        title: "the bridge's public address does not work from inside",
        explanation: "The only address that the bridge offers is the one that its NAT has outside. \
            From inside, packets to it go to the NAT and are not turned back.",
        remedy: "Advertise both addresses, `JVB_ADVERTISE_IPS=<inside>,<public>`, with \
            `JVB_ADVERTISE_PRIVATE_CANDIDATES` not false; or switch on NAT loopback (hairpin) for \
            UDP 10000.",
    },
    Cause {
        id: "bridge-answers-from-another-address",
        title: "the bridge's answers come from another address",
        explanation: "Packets reach the bridge, and its answers leave by another address than the \
            one that was asked, as happens on nodes with several interfaces and behind load \
            balancers that are only in the way there. Browsers drop such answers.",
        remedy: "Let answers leave by the way the packets came: `hostNetwork` on a node whose \
            default route has the advertised address, or source NAT for UDP 10000 on the way out.",
    },
    Cause {
        id: "bridge-no-candidates",
        title: "the bridge offers no address",
        explanation: "The bridge makes conferences, and its offer has no UDP candidate: it found \
            no usable interface, or could not bind its media port.",
        remedy: "Look for \"single-port\" and \"No valid IP addresses\" in the log of the jvb \
            container; check `JVB_PORT` (a Service named `jvb` sets that variable unless \
            `enableServiceLinks` is false) and that no second bridge has the port on that node.",
    },
    Cause {
        id: "bridge-unhealthy",
        title: "the bridge says that it is not healthy",
        explanation: "The bridge's own health check fails. Its tests are few (a valid address, \
            STUN where required, the media port bound), so when one fails it is real, and the \
            focus stops choosing the bridge.",
        remedy: "Read `/about/health` on port 8080 of the bridge and its log. With two bridges on \
            one node, or a rolling update with `hostPort`, the second cannot bind UDP 10000: use \
            the strategy `Recreate`.",
    },
    Cause {
        id: "bridge-refuses-conferences",
        title: "the bridge refuses to make a conference",
        explanation: "The bridge's conference interface answers, and refuses the request of this \
            test. It may be shutting down, or be of a release that wants something else.",
        remedy: "See the reason in the evidence and the log of the jvb container; restart it if \
            it is draining.",
    },
    Cause {
        id: "bridge-api-unreachable",
        title: "the bridge's private REST interface cannot be reached from here",
        explanation: "The test of the bridge begins at its private port 8080, and nothing answers \
            there. That the port is closed from outside is right; then the media port cannot be \
            tested this way from here.",
        remedy: "Run the check where the port can be reached (in the cluster, or through \
            `kubectl port-forward deploy/jitsi-jvb 8080`), and give that address as \
            `jitsi.jvb_rest`. If it should be reachable, see whether the bridge runs.",
    },
    Cause {
        id: "bridge-credentials-stale",
        title: "the bridge that answers is not the one that was asked",
        explanation: "The media port answers with error 401 to the password that the bridge gave \
            a moment ago. The packets reach a bridge, but another one, or one that was restarted \
            in between: several bridges behind one address and port.",
        remedy: "Give each bridge a public address or port of its own (`JVB_PORT`, \
            `JVB_ADVERTISE_IPS`), or run one replica.",
    },
    Cause {
        id: "ice-not-nominated",
        title: "the bridge does not finish ICE",
        explanation: "Packets go both ways, and the bridge does not complete its part: it sends \
            no checks of its own, or never nominates a pair.",
        remedy: "Look for the ICE agent's messages in the log of the jvb container, and at \
            `ice_transport` of the endpoint under `/debug?full=true`; restart the bridge.",
    },
    Cause {
        id: "dtls-no-answer",
        title: "DTLS to the bridge is not answered",
        explanation: "STUN passes, DTLS over the same addresses and ports does not. A filter that \
            knows the protocols lets one through and not the other, or the bridge waits for the \
            other part of the handshake.",
        remedy: "Take inspecting firewalls and DDoS filters out of the way of UDP 10000.",
    },
    Cause {
        id: "dtls-stalls",
        title: "the DTLS handshake with the bridge does not end",
        explanation: "The handshake begins, and its larger packets are lost: the path carries \
            less than 1200 bytes, or a filter drops fragments.",
        remedy: "Compare the MTU of the node, of overlay networks and of VPNs on the way; the \
            path has to carry UDP packets of 1200 bytes.",
    },
    Cause {
        id: "dtls-refused",
        title: "the bridge ends the DTLS handshake with an alert",
        explanation: "The bridge does not accept our part of the handshake. The certificate that \
            it saw may not be the one that was signalled: something changes packets on the way.",
        remedy: "See the alert in the evidence, and the messages of DTLS in the log of the jvb \
            container.",
    },
    Cause {
        id: "dtls-fingerprint-mismatch",
        title: "another certificate than the signalled one answers DTLS",
        explanation: "Over REST or signalling the bridge gave the fingerprint of its certificate, \
            and over UDP another certificate was shown. Either the packets reach another bridge, \
            or something in the middle ends the encryption. Browsers refuse this, rightly.",
        remedy: "Give every bridge an address or port of its own; see what sits between the \
            internet and UDP 10000 of the node.",
    },
];
