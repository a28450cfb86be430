//! Causes first seen by the `federation` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "server-name-invalid",
        title: "the server name is not valid",
        explanation: "A server name is a host name or an address, with a port where one is needed. \
                      No scheme, no path, no underscore.",
        remedy: "check the part after the colon of a user id, for instance `testing.borooka.ee`",
    },
    Cause {
        id: "server-name-is-another",
        title: "the homeserver has another server name",
        explanation: "The key document of the homeserver bears another server name. Mostly the \
                      host of the homeserver was taken for its server name. Other servers refuse a \
                      homeserver that is addressed by a name not its own.",
        remedy: "check the server name of `server_name` in homeserver.yaml (ConfigMap \
                 `synapse-config`), which is the part after the colon of user ids",
    },
    Cause {
        id: "server-name-upper-case",
        title: "the server name has upper-case letters",
        explanation: "Server names are compared case-sensitively: `Example.org` and `example.org` \
                      are two servers. The specification advises against upper case.",
        remedy: "check the lower-case name, if that is the homeserver's own; a name in use cannot \
                 be changed",
    },
    Cause {
        id: "well-known-server-missing",
        title: "nothing tells other servers where the homeserver is",
        explanation: "There is no `/.well-known/matrix/server` on the server name, no SRV record, \
                      and nothing answers on port 8448. Other servers have no way to this one, \
                      while users of it notice nothing among themselves.",
        remedy: "serve `{\"m.server\": \"matrix.testing.borooka.ee:443\"}` at \
                 `https://testing.borooka.ee/.well-known/matrix/server`; a Cloudflare Tunnel needs \
                 a rule for `testing.borooka.ee` as well (`TunnelBinding`), above its last one",
    },
    Cause {
        id: "well-known-not-json",
        title: "the delegation file is a web page",
        explanation: "`/.well-known/matrix/server` is answered with something that is not JSON, \
                      mostly the start page of Element Web or a website whose server answers every \
                      path with it. Other servers keep that failure for an hour.",
        remedy: "route `/.well-known/matrix/` of the server name to a responder of its own, above \
                 the rule that sends everything to Element Web or the website",
    },
    Cause {
        id: "well-known-server-malformed",
        title: "the delegation file does not name a server",
        explanation: "`m.server` has the form of a server name: host, colon, port. A scheme makes \
                      other servers look for a host called `https`; a path ends up in every \
                      request.",
        remedy: "write `{\"m.server\": \"matrix.testing.borooka.ee:443\"}`",
    },
    Cause {
        id: "well-known-server-broken",
        title: "the delegation file cannot be fetched",
        explanation: "`/.well-known/matrix/server` is answered with an error or a gateway's page, \
                      not within ten seconds, not to its end, or with redirects that lead nowhere \
                      or away from https. That it is not simply absent keeps other servers trying.",
        remedy: "serve the file with 200 at once, from a rule for that path that asks for no login",
    },
    Cause {
        id: "well-known-server-differs",
        title: "the delegation file is not everywhere the same",
        explanation: "Different addresses of the server name, or requests by different programs, \
                      get different answers. Some servers find this one and others do not.",
        remedy: "serve the same file behind every address, and take the path out of rules of the \
                 firewall that look at the user agent",
    },
    Cause {
        id: "well-known-server-redirect-308",
        title: "the delegation file is behind a redirect with 308",
        explanation: "Older homeservers follow 301, 302, 303 and 307 only.",
        remedy: "serve the file itself, or redirect with 301",
    },
    Cause {
        id: "well-known-server-unusual",
        title: "the delegation file is not quite as specified",
        explanation: "Other servers can use it. The specification wants `application/json`, and \
                      advises against upper-case letters; some proxies compare them. A lifetime of \
                      more than two days is cut to that by Synapse, and not by everybody: for so \
                      long a move to another host would go unnoticed.",
        remedy: "serve the file with `Content-Type: application/json`, the host in lower-case \
                 letters, and `Cache-Control: max-age=86400` or less",
    },
    Cause {
        id: "well-known-server-stale",
        title: "a cache holds an old delegation file",
        explanation: "What stands before the server name's host still gives the delegation from \
                      before a change, and other servers will keep that for a day from now on.",
        remedy: "purge `/.well-known/matrix/server` from the cache of the edge, and let a rule \
                 there pass over caching for `/.well-known/matrix/`",
    },
    Cause {
        id: "delegation-leads-elsewhere",
        title: "the delegation leads to a host that is no homeserver",
        explanation: "`m.server` names a host and port where something answers, and not the \
                      homeserver, which answers at another. With `serve_server_wellknown` Synapse \
                      names its server name with port 443, whatever host it is served on.",
        remedy: "write `{\"m.server\": \"matrix.testing.borooka.ee:443\"}`, with the host of the \
                 homeserver, in a static file instead of `serve_server_wellknown`",
    },
    Cause {
        id: "delegation-needs-port",
        title: "the delegation lacks its port",
        explanation: "Without a port, `m.server` means a SRV record, and without one port 8448, \
                      never 443. Nothing answers there; behind a Cloudflare Tunnel nothing can.",
        remedy: "write `{\"m.server\": \"matrix.testing.borooka.ee:443\"}`, with the port",
    },
    Cause {
        id: "federation-port-closed",
        title: "the federation port does not answer",
        explanation: "The server name, its delegation file or a SRV record names a host and port \
                      where nothing answers. Other servers do not try another way.",
        remedy: "correct the port in the well-known or the SRV record (443 behind the tunnel or \
                 Traefik), or open it",
    },
    Cause {
        id: "federation-not-served",
        title: "the federation API is not served",
        explanation: "The host where other servers look is reached, and does not answer \
                      `/_matrix/federation` or `/_matrix/key` as a homeserver.",
        remedy: "route `/_matrix` as a whole to the Service `synapse` on port 8008 (`IngressRoute`, \
                 `TunnelBinding`), and keep `federation` among the `resources` of its listener",
    },
    Cause {
        id: "content-type-not-json",
        title: "JSON under another content type",
        explanation: "Synapse as a peer refuses answers of the federation API that do not say that \
                      they are JSON. Something between changes the header.",
        remedy: "pass the homeserver's `Content-Type` on unchanged",
    },
    Cause {
        id: "signing-key-differs-between-servers",
        title: "two homeservers with different signing keys answer for one name",
        explanation: "Fetches of the key document a moment apart hold different keys: two pods, or \
                      an old and a new deployment, each with a signing key of its own. Other \
                      servers refuse what is signed by the one they did not ask.",
        remedy: "run one Synapse main process (replicas 1, strategy Recreate) and mount the signing \
                 key from the Secret `synapse-signing-key`; look for a second Deployment behind \
                 the Service `synapse`",
    },
    Cause {
        id: "key-signature-invalid",
        title: "the key document's signature does not hold",
        explanation: "The key document must be signed by each key in it. It is not, or it was \
                      changed on its way.",
        remedy: "see that nothing between rewrites `/_matrix/key/v2/server`, and that \
                 `signing_key_path` holds the key that the document names; restart Synapse",
    },
    Cause {
        id: "key-document-invalid",
        title: "the key document is not valid",
        explanation: "What `/_matrix/key/v2/server` answers is not a key document that other \
                      servers can use.",
        remedy: "let the homeserver itself answer `/_matrix/key/v2/server`, with nothing between \
                 that changes content or headers",
    },
    Cause {
        id: "key-document-expired",
        title: "the key document is out of its time",
        explanation: "`valid_until_ts` is in the past, or soon will be. Synapse renews it twice a \
                      day: a cache in between, or a server clock that is behind.",
        remedy: "take `/_matrix` out of every cache, and synchronise the server's clock",
    },
    Cause {
        id: "key-document-unusual",
        title: "the key document is not quite as specified",
        explanation: "Other servers can use it, strict ones may not.",
        remedy: "see what is named; take `/_matrix` out of every cache, and correct \
                 `old_signing_keys` in homeserver.yaml",
    },
    Cause {
        id: "signing-key-weak",
        title: "the signing key is publicly known",
        explanation: "A flaw of a deployment chart gave many servers the same signing key \
                      (CVE-2026-24044). Anybody can speak in the name of this server.",
        remedy: "generate a new signing key at once, and do not list the old one in \
                 `old_signing_keys`",
    },
];
