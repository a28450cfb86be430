//! Causes first seen by the `vantage` family: trouble on our own side.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "own-resolver-down",
        title: "the name server of this machine does not answer",
        explanation: "No name server that the machine running this tool uses answers questions. \
            That says nothing of the stack: for people with a working resolver it may be fine.",
        remedy: "look at /etc/resolv.conf where this tool runs; in a pod, at `dnsPolicy` and at \
            NetworkPolicies that stop egress to port 53. `--dns-server ADDRESS` names another one",
    },
    Cause {
        id: "own-clock-wrong",
        title: "our clock differs from the servers' clocks",
        explanation: "The `Date` headers of most servers agree with one another and not with the \
            clock of the machine that runs this tool. Dates of certificates and keys cannot be \
            judged by such a clock. Where only one server could be asked, its clock may as well \
            be the wrong one.",
        remedy: "synchronise the clock of the machine that runs this tool, for instance with \
            chrony or systemd-timesyncd; if it is right, look at the clock of the node that \
            serves the stack",
    },
    Cause {
        id: "no-way-there",
        title: "this machine cannot reach the host's addresses",
        explanation: "The host has addresses only of a kind (usually IPv6) to which the machine \
            that runs this tool has no way, or its kernel refuses the connection. Whether the \
            host works for others was not measured.",
        remedy: "run this tool from a machine with IPv6, or give the host an IPv4 address as well",
    },
    Cause {
        id: "no-udp-from-here",
        title: "UDP does not work from here",
        explanation: "The STUN server that was given does not answer over UDP. Either the network \
            of the machine that runs this tool lets no UDP out, or that server is down. What is \
            silent over UDP is then not the deployment's fault.",
        remedy: "let UDP out of this network (in a pod, look at NetworkPolicies), give another \
            `network.stun_server`, or run this tool from elsewhere",
    },
    Cause {
        id: "split-horizon-here",
        title: "our resolver has its own view of the stack's names",
        explanation: "The resolver of the machine that runs this tool gives private addresses, \
            while the zone's own servers give public ones. That is a usual setup inside an office \
            or a cluster, and it hides what people outside see.",
        remedy: "ask a public resolver with `--dns-server`, or look from inside on purpose with \
            `--vantage internal`",
    },
];
