//! Causes first seen by the `ingress` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tunnel-down",
        title: "the Cloudflare Tunnel is not connected",
        explanation: "The edge knows the name, and no `cloudflared` is connected for its tunnel \
            (error 1033), or the record points at a tunnel that no longer exists (error 1016).",
        remedy: "look at the pods and the log of `cloudflared`: a revoked token, no egress to \
            port 7844 (UDP and TCP), or scaled to zero. For error 1016 let the operator write the \
            DNS record of the TunnelBinding anew",
    },
    Cause {
        id: "edge-cannot-reach-origin",
        title: "the Cloudflare edge cannot talk to the origin",
        explanation: "The edge connects to an address of the origin itself and fails (520 to \
            527). With a tunnel this does not happen: the record of the host does not lead to the \
            tunnel.",
        remedy: "for 521 to 523 see that the origin is up and lets Cloudflare's addresses in, or \
            let the TunnelBinding make the record; for 525 and 526 give the origin a certificate \
            that suits the SSL mode; for 524 find out why the origin takes more than 100 s",
    },
    Cause {
        id: "homeserver-down",
        title: "the homeserver does not answer behind its ingress",
        explanation: "A gateway answers for it with 502 or 503: the homeserver is stopped, is \
            starting, or cannot be reached at the address that the gateway knows.",
        remedy: "look at `kubectl -n app-matrix get pods` and the log of the Synapse pod (a \
            failing database stops it from starting); then at the Service `synapse` on port 8008 \
            and its endpoints, and that Synapse binds 0.0.0.0",
    },
    Cause {
        id: "element-down",
        title: "Element Web does not answer behind its ingress",
        explanation: "A gateway answers for it with 502 or 503.",
        remedy: "look at the pod of the Deployment `element`, and at the Service `element` on \
            port 80 and its endpoints",
    },
    Cause {
        id: "jitsi-web-down",
        title: "the web server of Jitsi Meet does not answer behind its ingress",
        explanation: "A gateway answers for it with 502 or 503.",
        remedy: "look at the pod of the Deployment `jitsi-web`, and at the Service `jitsi-web` on \
            port 80 and its endpoints",
    },
    Cause {
        id: "backend-down",
        title: "nothing answers behind the ingress of a host",
        explanation: "A gateway answers with 502 or 503 in the place of what should.",
        remedy: "follow the route of the host: the `target` of the TunnelBinding or the Service \
            of the IngressRoute, its selector and endpoints, and the pod",
    },
    Cause {
        id: "gateway-timeout",
        title: "a gateway waits in vain for what is behind it",
        explanation: "The backend takes the connection, or the packets vanish on the way, and no \
            answer comes in time (504).",
        remedy: "look whether a NetworkPolicy stops the way from the ingress to the pod, whether \
            the Service names the right `targetPort`, and whether the pod is busy (its database, \
            its CPU limit)",
    },
    Cause {
        id: "ingress-route-missing",
        title: "the ingress has no route for a host",
        explanation: "The request reaches the ingress (or the tunnel), which answers with its own \
            404: no rule matches this host and path.",
        remedy: "compare the host with `fqdn` in the TunnelBinding and `Host(...)` in the \
            IngressRoute; see that the route is in a namespace that Traefik watches, on the right \
            entry point, and that its Service exists. In a tunnel's own rules the catch-all must \
            be last",
    },
    Cause {
        id: "no-http-answer",
        title: "a host takes connections and does not answer requests",
        explanation: "The TLS session comes about, and then the server is silent, closes the \
            connection, or sends something that is not HTTP.",
        remedy: "look at the log of the ingress for this host, and at what it forwards to: a \
            wrong protocol (`scheme: https` before a plain port, `h2c`) looks so, and an \
            overloaded pod",
    },
    Cause {
        id: "edge-challenges-servers",
        title: "the edge wants to see a browser where servers and apps ask",
        explanation: "A challenge or block page stands before API, federation or well-known \
            paths. In a browser all looks well; other homeservers, phones, bots and bridges are \
            shut out.",
        remedy: "at Cloudflare switch Bot Fight Mode off for the zone (rules do not bypass it), \
            and add a WAF rule that skips challenges, the browser integrity check and rate \
            limiting for `/_matrix`, `/_synapse/client` and `/.well-known/matrix`",
    },
    Cause {
        id: "edge-challenges-us",
        title: "the edge shows a page only to browsers, and not to this tool",
        explanation: "A challenge stands before a page that people open in a browser. People pass \
            it; this tool cannot, so that nothing behind it was measured.",
        remedy: "let this tool's address or user agent pass in the WAF, or look from the internal \
            or cluster vantage",
    },
    Cause {
        id: "http-redirect-loop",
        title: "redirects go round in a loop",
        explanation: "Browsers give up with too many redirects. At Cloudflare the SSL mode \
            \"Flexible\" makes it: the edge asks the origin over HTTP, and the origin redirects \
            to HTTPS, which is where the browser already is.",
        remedy: "set the SSL mode to \"Full (strict)\", or route the host through the tunnel; \
            keep one redirect, at the edge or at Traefik, not both",
    },
    Cause {
        id: "http-not-redirected",
        title: "the application is served over plain HTTP as well",
        explanation: "Whoever types the name without a scheme may use the application, passwords \
            and tokens included, without encryption.",
        remedy: "at Cloudflare switch SSL/TLS, Edge Certificates, Always Use HTTPS on; at Traefik \
            redirect the entry point `web` to `websecure`",
    },
    Cause {
        id: "http-redirects-elsewhere",
        title: "plain HTTP redirects to another host",
        explanation: "The redirect leaves the host before it is on HTTPS, so that its own HSTS \
            policy is never seen, and the person may end up somewhere else.",
        remedy: "redirect to https of the same host first",
    },
    Cause {
        id: "http2-not-offered",
        title: "HTTP/2 is not offered",
        explanation: "A browser then opens at most six connections to the host, and Element's \
            waiting requests take them.",
        remedy: "at Cloudflare switch Speed, Protocol Optimization, HTTP/2 on; at Traefik remove \
            `alpnProtocols` from the TLSOption; in nginx `http2 on;`",
    },
    Cause {
        id: "hsts-missing",
        title: "HSTS is not sent",
        explanation: "Browsers are not told to keep to HTTPS, so that a first request over plain \
            HTTP can be caught and kept there.",
        remedy: "at Cloudflare switch SSL/TLS, Edge Certificates, HTTP Strict Transport Security \
            on; at Traefik add a Middleware with `headers.stsSeconds: 31536000`",
    },
    Cause {
        id: "forwarded-scheme-lost",
        title: "the homeserver does not learn that people come over https",
        explanation: "Behind the ingress the homeserver sees plain http, and sends people back to \
            it, or to its inner name. Single sign-on goes round in a loop. Mostly the client's \
            address is lost with it, so that all people share one rate limit.",
        remedy: "`x_forwarded: true` on the listener in homeserver.yaml, and an ingress that sets \
            `X-Forwarded-Proto` and `X-Forwarded-For` (Traefik: `forwardedHeaders.trustedIPs` \
            with the range of what stands before it).",
    },
    Cause {
        id: "ingress-upload-limit",
        title: "the ingress takes smaller files than the homeserver",
        explanation: "Clients are told the homeserver's limit, and files below it are refused on \
            the way with 413. People see \"The file failed to upload\".",
        remedy: "Raise the limit where 413 comes from: nginx `client_max_body_size`, Traefik's \
            `buffering` middleware (`maxRequestBodyBytes`), at Cloudflare the plan's 100 MB; or \
            lower `max_upload_size` in homeserver.yaml to what passes.",
    },
    Cause {
        id: "upload-limit-differs",
        title: "the homeserver takes smaller files than was written down",
        explanation: "The homeserver refuses, by itself, an upload that is below \
            `expect.upload_limit`: `max_upload_size` was changed, or the new value is not in \
            force.",
        remedy: "Correct `max_upload_size` in homeserver.yaml and restart it, or \
            `expect.upload_limit` in stack.toml.",
    },
    Cause {
        id: "long-poll-cut",
        title: "the ingress cuts requests that wait",
        explanation: "Clients wait up to 30 s for news in one request. Something ends such a \
            request earlier, so that clients see errors and ask anew without end.",
        remedy: "Raise the read timeout: Traefik's `respondingTimeouts`, nginx \
            `proxy_read_timeout`, a load balancer's idle timeout, to 120 s or more.",
    },
    Cause {
        id: "websocket-idle-cut",
        title: "the ingress cuts WebSockets that are idle",
        explanation: "A WebSocket on which nothing is said is closed within a minute. Calls lose \
            their signalling in quiet moments.",
        remedy: "Raise the idle timeout for upgraded connections: nginx `proxy_read_timeout` on \
            `/xmpp-websocket`, Traefik's `respondingTimeouts.idleTimeout`, a load balancer's idle \
            timeout, to 15 minutes.",
    },
];
