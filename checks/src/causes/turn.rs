//! Causes of TURN servers.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "turn-credentials-rejected",
        title: "the TURN server refuses the credentials that clients are told",
        explanation: "Prosody, and Synapse for calls of two, make credentials from a secret that \
            they share with the TURN server, or give fixed ones. The TURN server answers 401 to them: the secrets \
            differ.",
        remedy: "Give Prosody (`TURN_CREDENTIALS`, or `TURN_USERNAME` and `TURN_PASSWORD`), or \
            Synapse (`turn_shared_secret`), and the TURN server (`static-auth-secret` with `use-auth-secret`, or `user`) the same ones, and \
            restart them.",
    },
    Cause {
        id: "turn-credentials-expired",
        title: "TURN credentials are out of their time when they are given",
        explanation: "Credentials made from a shared secret carry the time until which they are \
            valid. It is past already: `TURN_TTL` is too short, Prosody's clock is behind, or an \
            old answer is kept somewhere.",
        remedy: "Set `TURN_TTL` on Prosody to a day (86400) and synchronise the clocks of the \
            nodes of Prosody and of the TURN server.",
    },
    Cause {
        id: "turn-unreachable",
        title: "the TURN server does not answer",
        explanation: "Clients are told of a TURN server and nothing answers there as one: it is \
            down, its port is closed in a firewall, its name is wrong, or another service has the \
            port.",
        remedy: "See that the TURN server runs and listens at `TURN_HOST:TURN_PORT` \
            (`TURNS_HOST:TURNS_PORT`), and open that port over the transport offered in the \
            firewalls; or take the variables off Prosody if there is none.",
    },
    Cause {
        id: "turn-refuses",
        title: "the TURN server refuses allocations",
        explanation: "The TURN server knows the credentials and gives no allocation: a quota is \
            used up, its relay ports are, or it is set up to refuse.",
        remedy: "See the code in the evidence and the log of the TURN server: 486 is `user-quota` \
            or `total-quota`, 508 is its range of ports (`min-port`, `max-port`), 403 its lists of \
            addresses.",
    },
    Cause {
        id: "turn-tls-certificate",
        title: "TURN over TLS shows a certificate that clients refuse",
        explanation: "TURN over TLS is the way of people behind the strictest networks. Browsers \
            verify its certificate as that of a website, and silently go without it.",
        remedy: "Give the TURN server a certificate for the name in `TURNS_HOST` with its whole \
            chain (`cert`, `pkey`), and have it read again after each renewal (SIGUSR2 to coturn).",
    },
    Cause {
        id: "turn-relay-broken",
        title: "the TURN server allocates and does not relay",
        explanation: "An allocation comes about and no datagram passes over it: the relay's ports \
            are closed in a firewall, or the server behind NAT does not know its public address.",
        remedy: "Open UDP `min-port` to `max-port` (49152 to 65535 by default) to the TURN server, \
            and behind NAT set `external-ip=PUBLIC/PRIVATE`.",
    },
];
