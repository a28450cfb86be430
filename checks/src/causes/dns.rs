//! Causes first seen by the `dns` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "dns-record-missing",
        title: "a host of the stack has no DNS record",
        explanation: "The name does not exist, or exists without an A or AAAA record. Nothing \
            that needs it can be reached by anybody.",
        remedy: "create the record. With a Cloudflare Tunnel the operator creates it for each \
            `fqdn` of a TunnelBinding: look for the host there, and for errors in the operator's \
            log",
    },
    Cause {
        id: "dns-dangling-alias",
        title: "a host is an alias of a name that does not exist",
        explanation: "The CNAME record of the host points at a name without an address: the \
            tunnel, load balancer or hosting behind it is gone. Whoever can claim that name can \
            answer in the name of the host, and obtain certificates for it.",
        remedy: "point the CNAME at a name that exists, or remove it. For a Cloudflare Tunnel the \
            target is `<tunnel id>.cfargotunnel.com`, proxied: let the operator write it anew",
    },
    Cause {
        id: "dns-zone-broken",
        title: "the servers of the zone do not answer properly",
        explanation: "Our resolver answers other questions and ends those for this host in an \
            error: the zone's name servers are unreachable, do not know the zone, or answer some \
            kinds of question wrongly. Where only AAAA is concerned, some clients give up, and \
            others go on with IPv4.",
        remedy: "compare the NS records at the registrar with the servers that hold the zone, and \
            ask each of them: `dig +norecurse @SERVER HOST A` and `AAAA`",
    },
    Cause {
        id: "dns-private-address",
        title: "a public name has an address that nobody outside can reach",
        explanation: "The address belongs to a private or reserved range (RFC 6890). It works for \
            whoever is in the same network, and for nobody else; other homeservers refuse to \
            connect to such addresses even if they could.",
        remedy: "give the name its public address, or route it through the Cloudflare Tunnel with \
            a TunnelBinding; keep the internal address for the `cluster.arpa` names. If the range \
            can be reached by all users (a VPN, a lab), declare it as `routable` in stack.toml",
    },
    Cause {
        id: "dns-ipv6-only",
        title: "a host has IPv6 addresses only",
        explanation: "There is no A record. Clients and homeservers without IPv6, still a large \
            share, cannot reach the host at all.",
        remedy: "add an A record, or proxy the name through Cloudflare, which answers on both",
    },
    Cause {
        id: "server-name-without-address",
        title: "the server name has SRV records and no address",
        explanation: "Other homeservers find the way by SRV records. Clients look for \
            `/.well-known/matrix/client` on the server name itself, and there is nothing to ask: \
            people have to type the homeserver's address.",
        remedy: "give the server name an address and serve `/.well-known/matrix/client` and \
            `/.well-known/matrix/server` there; with a tunnel, by a TunnelBinding for the server \
            name",
    },
    Cause {
        id: "dns-stale",
        title: "our resolver has an outdated address",
        explanation: "The zone's own servers (or the second resolver) give another address than \
            our resolver, and only theirs serves the host rightly. Everybody who uses that \
            resolver is cut off until its copy expires.",
        remedy: "flush the cache of the resolver, or wait for the record's time to live; before \
            the next move lower it. If the old address stays, look for a zone of that name in the \
            resolver's own configuration (split horizon, hosts file, CoreDNS rewrite)",
    },
    Cause {
        id: "dnssec-bogus",
        title: "the zone's DNSSEC signatures do not hold",
        explanation: "Validating resolvers, among them the large public ones, answer SERVFAIL: \
            for their users the zone does not exist. Others see no fault.",
        remedy: "compare the DS record at the registrar with the zone's key-signing key and look \
            at the signatures' dates (`delv HOST`, `dnsviz`). After a move to other name servers \
            the old DS record is the usual cause: remove it or replace it",
    },
    Cause {
        id: "srv-target-alias",
        title: "an SRV record points at an alias",
        explanation: "RFC 2782 forbids an alias as target. Some homeservers follow it all the \
            same, others refuse to, and a broken record is not passed over.",
        remedy: "name a host with A and AAAA records of its own as the target, or delegate with \
            `/.well-known/matrix/server` and remove the SRV record",
    },
    Cause {
        id: "srv-target-unusable",
        title: "an SRV record leads nowhere",
        explanation: "The target has no address, is `.`, or the port is 0. A record that is there \
            is final: other homeservers do not try port 8448 after it.",
        remedy: "correct the target and port, or remove the record; with \
            `/.well-known/matrix/server` none is needed",
    },
    Cause {
        id: "srv-deprecated-only",
        title: "only the deprecated SRV record is there",
        explanation: "`_matrix._tcp` was replaced by `_matrix-fed._tcp` in version 1.8 of the \
            specification, and servers may stop to look for it.",
        remedy: "add the same record as `_matrix-fed._tcp`, or delegate with \
            `/.well-known/matrix/server`",
    },
    Cause {
        id: "srv-records-disagree",
        title: "the two SRV records lead to different places",
        explanation: "Newer homeservers go by `_matrix-fed._tcp`, older ones by `_matrix._tcp`: \
            they reach different servers.",
        remedy: "give both the same targets and ports, or remove `_matrix._tcp`",
    },
    Cause {
        id: "caa-forbids-issuer",
        title: "CAA does not permit the authority in use",
        explanation: "Authorities ask for CAA records when they issue. The certificate in use is \
            from before the record, and the next renewal will be refused.",
        remedy: "add the authority to the zone's CAA records, for instance `CAA 0 issue \
            \"letsencrypt.org\"`, or change `issuerRef` of the cert-manager Certificate",
    },
    Cause {
        id: "internal-name-public",
        title: "a name of the internal ingress is in public DNS",
        explanation: "Names that are meant for the inside resolve outside. Strangers learn where \
            the internal ingress is, and may reach it.",
        remedy: "remove the record from the public zone; keep names such as `matrix.cluster.arpa` \
            in the internal DNS only",
    },
    Cause {
        id: "internal-name-missing",
        title: "a name of the internal ingress does not resolve inside",
        explanation: "People and pods inside cannot reach the internal ingress by its name.",
        remedy: "add the record to the internal DNS, pointing at Traefik's address: \
            `matrix.cluster.arpa`, `element.cluster.arpa` and `meet.cluster.arpa`",
    },
];
