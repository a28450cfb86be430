//! Causes first seen by the `jitsi` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "jitsi-not-served",
        title: "the host does not serve Jitsi Meet",
        explanation: "Something answers, and it is not Jitsi Meet's page.",
        remedy: "route the host to the Service `jitsi-web` on port 80 (`TunnelBinding`, \
                 `IngressRoute`); behind an ingress that ends TLS set `DISABLE_HTTPS=1` and leave \
                 `ENABLE_HTTP_REDIRECT` unset",
    },
    Cause {
        id: "jitsi-scripts-missing",
        title: "Jitsi Meet's scripts do not load",
        explanation: "A script is missing, or a web page is in its place. Browsers refuse to run \
                      it and the call's window stays white.",
        remedy: "route all paths of the host to the Service `jitsi-web`, and purge caches after an \
                 upgrade",
    },
    Cause {
        id: "jitsi-framing-forbidden",
        title: "Jitsi's pages may not be framed",
        explanation: "Element shows a call by framing the Jitsi host. A header of the Jitsi host \
                      forbids that to other hosts, so the call works in a tab of its own and not in \
                      Element.",
        remedy: "take `X-Frame-Options` off the Jitsi host (headers middleware of its IngressRoute, \
                 transform rules of the edge), or send `Content-Security-Policy: frame-ancestors \
                 'self' https://element.testing.borooka.ee`",
    },
    Cause {
        id: "jitsi-config-invalid",
        title: "config.js is not Jitsi Meet's configuration",
        explanation: "`/config.js` is missing, is a web page, or lacks what every client needs: \
                      the XMPP domains and a way to XMPP.",
        remedy: "serve `/config.js` from the web container; look at what is mounted over \
                 `/config`, and at `custom-config.js`",
    },
    Cause {
        id: "jitsi-config-unexpanded",
        title: "config.js is served without server-side includes",
        explanation: "The web container's nginx fills in parts of `config.js` as it serves it. \
                      Raw `<!--#` text means that something else serves the file: another web \
                      server, a copy, a cache.",
        remedy: "serve `/config.js` from the web container itself",
    },
    Cause {
        id: "jitsi-public-url-unset",
        title: "PUBLIC_URL is not set",
        explanation: "The addresses in `config.js` are built from `PUBLIC_URL`. Without it they \
                      are `localhost:8443`, which is every person's own machine.",
        remedy: "set `PUBLIC_URL: https://meet.testing.borooka.ee` in the ConfigMap of the Jitsi \
                 parts, on web, Prosody and the bridge, and restart them",
    },
    Cause {
        id: "jitsi-public-url-wrong",
        title: "PUBLIC_URL is of another host or in a wrong form",
        explanation: "The addresses in `config.js` are built from `PUBLIC_URL`, of which only \
                      `https://` and one slash at the end are taken away. Another scheme or a path \
                      ends up in them, and an old host stays there.",
        remedy: "set `PUBLIC_URL: https://meet.testing.borooka.ee`, with that scheme and no path",
    },
    Cause {
        id: "prosody-down",
        title: "Prosody does not answer",
        explanation: "The web server is there, and the XMPP server behind it is not: Prosody is \
                      down, not ready, or not found under the name that the web container's nginx \
                      asks DNS for. No call can be set up.",
        remedy: "look at `kubectl -n app-matrix logs deploy/jitsi-prosody`; set \
                 `XMPP_BOSH_URL_BASE=http://prosody.app-matrix.svc.cluster.local:5280` on web, in \
                 full, and see that the Service `prosody` has port 5280",
    },
    Cause {
        id: "xmpp-domain-mismatch",
        title: "web and Prosody differ in the XMPP domain",
        explanation: "The domain that `config.js` tells clients is not one that Prosody serves.",
        remedy: "give web, Prosody, Jicofo and the bridge the same `XMPP_DOMAIN` from one \
                 ConfigMap, and the same `XMPP_GUEST_DOMAIN` where there is one",
    },
    Cause {
        id: "bosh-not-proxied",
        title: "BOSH is not proxied to Prosody",
        explanation: "The BOSH address in `config.js` is not answered by an XMPP server.",
        remedy: "route `/http-bind` of the host to the web container, POST included, and leave its \
                 nginx's own configuration as it is",
    },
    Cause {
        id: "websocket-not-proxied",
        title: "WebSocket upgrades do not get through",
        explanation: "The path is routed to Prosody, and something on the way takes the headers of \
                      the upgrade away. Clients fall back to BOSH, slowly, or fail.",
        remedy: "let the ingress pass `Upgrade` and `Connection` on over HTTP/1.1 for \
                 `/xmpp-websocket`: nginx needs `proxy_http_version 1.1` and both headers, Traefik \
                 and the Cloudflare Tunnel need nothing unless a middleware removes headers",
    },
    Cause {
        id: "websocket-disabled",
        title: "config.js names a WebSocket that the web server does not have",
        explanation: "Jitsi Meet's start page answers at the WebSocket's path: the web container \
                      was started without it, or `config.js` is a copy from another time.",
        remedy: "set `ENABLE_XMPP_WEBSOCKET` to the same value on web and Prosody, restart both, \
                 and serve `config.js` from the web container",
    },
    Cause {
        id: "xmpp-stream-broken",
        title: "the XMPP stream does not open",
        explanation: "An XMPP server is reached and ends the stream, or says nothing.",
        remedy: "look at `kubectl -n app-matrix logs deploy/jitsi-prosody` at that moment",
    },
];
