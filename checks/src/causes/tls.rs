//! Causes first seen by the `tls` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "edge-has-no-certificate",
        title: "what terminates TLS has no certificate for the host",
        explanation: "The server ends the handshake with an alert before it shows a certificate. \
            At the Cloudflare edge that is how a name without a certificate looks: Universal SSL \
            covers the zone and names one label below it (`borooka.ee`, `matrix.borooka.ee`), and \
            not names two labels below (`matrix.testing.borooka.ee`).",
        remedy: "order an edge certificate for the host with Advanced Certificate Manager (or \
            switch Total TLS on), upload one, or use a name one label below the zone such as \
            `matrix-testing.borooka.ee`. Behind Traefik with `sniStrict`, add the host to a \
            Certificate and its Secret to the IngressRoute",
    },
    Cause {
        id: "port-closed",
        title: "a host refuses connections",
        explanation: "The address is there and nothing listens on the port, or a firewall rejects \
            the connection.",
        remedy: "see that the ingress is running and listens on this port (for Traefik: the \
            Service of type LoadBalancer and its `websecure` entry point), and that the record \
            points at it",
    },
    Cause {
        id: "port-unanswered",
        title: "a host does not answer connections",
        explanation: "Connections to the port get no answer at all: a firewall drops them, the \
            machine is off, or the address is another's.",
        remedy: "compare the address with that of the ingress, and look at firewalls and security \
            groups before it. Names behind the Cloudflare Tunnel must be proxied records, not the \
            address of the node",
    },
    Cause {
        id: "tls-not-spoken",
        title: "the port does not speak TLS",
        explanation: "What answers is something else, most often plain HTTP.",
        remedy: "give the route TLS: `tls.secretName` and the entry point `websecure` in the \
            IngressRoute; or correct the port in the base URL",
    },
    Cause {
        id: "handshake-cut",
        title: "the TLS handshake breaks off",
        explanation: "The server takes the connection and ends it, or falls silent, before the \
            handshake is complete. A proxy that passes TLS through to a dead backend looks so.",
        remedy: "look at the log of what terminates TLS for this host; for an IngressRouteTCP \
            with `passthrough`, at the Service behind it",
    },
    Cause {
        id: "certificate-chain-incomplete",
        title: "the intermediate certificate is not sent",
        explanation: "The certificate is of a trusted authority, and the certificate between the \
            two is missing. Browsers often find it by themselves; other homeservers, phones and \
            command-line tools refuse the connection.",
        remedy: "serve the full chain, leaf first: `fullchain.pem` instead of `cert.pem`. \
            cert-manager puts the chain into `tls.crt`; check what was put there by hand",
    },
    Cause {
        id: "certificate-untrusted-issuer",
        title: "the certificate is of an authority that clients do not trust",
        explanation: "The chain ends in a private authority or in the certificate itself. \
            Browsers show a warning, apps and other homeservers refuse the connection.",
        remedy: "use a certificate of a public authority for public names: a ClusterIssuer for \
            Let's Encrypt, or the Cloudflare edge. `custom-ca-cluster-issuer` is for \
            `cluster.arpa` names",
    },
    Cause {
        id: "ingress-default-certificate",
        title: "the ingress shows its default certificate",
        explanation: "Traefik (or another ingress controller) has no certificate for this host \
            and shows the one that it made for itself. The Secret is missing, in another \
            namespace, not named by the route, or not issued yet.",
        remedy: "name the Secret in `tls.secretName` of the IngressRoute, in the namespace of the \
            route, and see that the cert-manager Certificate is Ready (`kubectl -n app-matrix get \
            certificate`)",
    },
    Cause {
        id: "certificate-invalid",
        title: "the certificate does not verify",
        explanation: "A signature is wrong, or the certificate is not made for servers.",
        remedy: "issue the certificate anew; look at `usages` of the cert-manager Certificate \
            (server auth) and at what else writes to its Secret",
    },
    Cause {
        id: "certificate-wrong-name",
        title: "the certificate is for another host",
        explanation: "The names in the certificate do not cover the host. Every client refuses \
            the connection.",
        remedy: "add the host to `dnsNames` of the cert-manager Certificate and see that the \
            IngressRoute of this host uses its Secret; at Cloudflare, order an edge certificate \
            that covers it. A wildcard covers one label only",
    },
    Cause {
        id: "certificate-expired",
        title: "a certificate has expired",
        explanation: "The certificate, or one that vouches for it, is past its end. Every client \
            refuses the connection.",
        remedy: "renew it now (`cmctl renew`, or delete the Secret), then find out why it was not \
            renewed: `kubectl -n app-matrix describe certificate`, its CertificateRequest, Order \
            and Challenge",
    },
    Cause {
        id: "certificate-expiring",
        title: "a certificate should have been renewed by now",
        explanation: "Renewal happens well before the end; a certificate that comes near it says \
            that renewal is broken.",
        remedy: "look at `kubectl -n app-matrix describe certificate` for the reason why it is \
            not renewed: a failed challenge, a limit of the authority, a missing issuer",
    },
    Cause {
        id: "certificate-not-yet-valid",
        title: "a certificate is not valid yet",
        explanation: "It begins in the future: the clock of the machine that issued it is ahead.",
        remedy: "correct the clock of the node on which the authority runs (for a private one: \
            cert-manager's), and issue the certificate anew",
    },
    Cause {
        id: "tls-too-old",
        title: "only outdated versions of TLS are spoken",
        explanation: "The server speaks TLS 1.1 or older only. Browsers, apps and homeservers of \
            today refuse that.",
        remedy: "permit TLS 1.2 and 1.3: `minVersion: VersionTLS12` without a lower `maxVersion` \
            in the TLSOption of Traefik, `ssl_protocols TLSv1.2 TLSv1.3;` in nginx",
    },
    Cause {
        id: "tls-old-versions-accepted",
        title: "outdated versions of TLS are still accepted",
        explanation: "TLS 1.0 and 1.1 were withdrawn in 2021 (RFC 8996). No client of this stack \
            needs them.",
        remedy: "at Cloudflare set SSL/TLS, Edge Certificates, Minimum TLS Version to 1.2 (the \
            default is 1.0); in Traefik `minVersion: VersionTLS12` in the TLSOption",
    },
    Cause {
        id: "certificate-weak",
        title: "a certificate has a weak key or signature",
        explanation: "Clients refuse RSA keys under 2048 bits and signatures with SHA-1 or MD5.",
        remedy: "issue the certificate anew with `privateKey.algorithm: ECDSA` and `size: 256` \
            (or RSA 2048), from an authority that signs with SHA-2",
    },
    Cause {
        id: "one-address-broken",
        title: "one of a host's addresses is broken",
        explanation: "DNS gives several addresses, and at least one of them refuses, is silent, \
            or shows a certificate that clients refuse. Some people and some servers fail, some \
            do not, and each try may differ.",
        remedy: "repair what answers on the address, or remove its A or AAAA record. An AAAA \
            record of a node without a listener on IPv6 is the usual find",
    },
    Cause {
        id: "certificate-revoked",
        title: "the certificate is revoked",
        explanation: "The server itself hands out its authority's word that the certificate is \
            revoked. Browsers refuse it.",
        remedy: "Let it be issued anew with a new key (delete the cert-manager Secret), and find \
            out who revoked it and why.",
    },
    Cause {
        id: "ocsp-staple-missing",
        title: "the certificate demands a stapled OCSP response, and none is sent",
        explanation: "The certificate says \"must staple\". Browsers that honour it refuse the \
            connection without a staple.",
        remedy: "Issue the certificate without the TLS feature extension; most authorities have \
            ended OCSP.",
    },
    Cause {
        id: "ocsp-staple-bad",
        title: "the stapled OCSP response is of no use",
        explanation: "It is out of its dates, about another certificate, or no answer. Firefox \
            shows an error for it.",
        remedy: "Restart what ends TLS, so that it fetches a new one, or switch stapling off \
            there.",
    },
    Cause {
        id: "certificate-not-logged",
        title: "a public certificate carries no proof that it was logged",
        explanation: "Chrome and Safari refuse certificates of public authorities that are not in \
            the logs of Certificate Transparency. The proofs are usually embedded.",
        remedy: "Let the certificate be issued anew; authorities embed the proofs unless asked \
            not to.",
    },
];
