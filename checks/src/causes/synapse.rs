//! Causes first seen by the `synapse` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "homeserver-url-wrong",
        title: "the homeserver's base URL leads to something else",
        explanation: "What answers at the base URL is not a homeserver: a web server's page, \
            another program, or an ingress that routes `/_matrix` elsewhere. Clients say \
            \"Homeserver URL does not appear to be a valid Matrix homeserver\".",
        remedy: "Make `m.homeserver.base_url` in the client well-known and in Element's \
            config.json the address at which `/_matrix/client/versions` is answered, and route \
            its `/_matrix` to Service `synapse:8008` (TunnelBinding, IngressRoute).",
    },
    Cause {
        id: "homeserver-broken",
        title: "the homeserver runs and answers with errors",
        explanation: "The homeserver itself, not what stands before it, answers 5xx to requests that \
            need nothing, or with bodies that have no end.",
        remedy: "Read its log: `kubectl -n app-matrix logs deploy/synapse --tail=200`. After an \
            upgrade look for a failed database migration.",
    },
    Cause {
        id: "homeserver-too-old",
        title: "the homeserver is too old for today's clients",
        explanation: "It announces none of the versions v1.1 to v1.13 of the Matrix specification, \
            one of which clients demand before they let anybody log in.",
        remedy: "Upgrade the homeserver: the image tag in \
            `apps/base/matrix/components/synapse.yaml`.",
    },
    Cause {
        id: "homeserver-vulnerable",
        title: "the homeserver has a known weakness that strangers can use",
        explanation: "The version that runs has a published weakness by which somebody without an \
            account there can do serious harm. The evidence names it.",
        remedy: "Upgrade Synapse: the image tag in `apps/base/matrix/components/synapse.yaml`.",
    },
    Cause {
        id: "version-differs",
        title: "another version runs than was written down",
        explanation: "What runs is not what `[expect]` or the manifests say: the rollout has not \
            taken place, has been undone, or something older is kept on the way.",
        remedy: "Look at the rollout, `kubectl -n app-matrix rollout status`, and at the image \
            that the pod really has; or correct `[expect]` in stack.toml.",
    },
    Cause {
        id: "well-known-client-missing",
        title: "clients do not find the homeserver by the server name",
        explanation: "`/.well-known/matrix/client` is not served on the server name's own host. \
            Whoever types a user id gets no further; several clients cannot be told another way.",
        remedy: "Serve `/.well-known/matrix/client` on `https://testing.borooka.ee`: route that \
            path to Synapse with `public_baseurl` set, or to a static responder, by a \
            TunnelBinding subject for the server name above the catch-all.",
    },
    Cause {
        id: "well-known-client-wrong",
        title: "the client well-known does not lead to a homeserver",
        explanation: "The file is there, and what it says cannot be used: not JSON, no \
            `m.homeserver.base_url`, or one that leads nowhere.",
        remedy: "Make it `{\"m.homeserver\": {\"base_url\": \
            \"https://matrix.testing.borooka.ee\"}}`. Where Synapse serves it, `public_baseurl` \
            in homeserver.yaml is what it says.",
    },
    Cause {
        id: "cors-blocked",
        title: "browsers are kept from the API by missing CORS headers",
        explanation: "Something between the homeserver and the browser strips \
            `Access-Control-Allow-Origin`, answers preflights itself, or permits too little. Web \
            clients then work not at all, while programs outside a browser see nothing wrong.",
        remedy: "Let Synapse answer for itself, preflights included: remove header middlewares and \
            transform rules from the homeserver's route. Where a static file is served, add \
            `Access-Control-Allow-Origin: *`.",
    },
    Cause {
        id: "cors-duplicated",
        title: "CORS headers are added a second time",
        explanation: "Synapse sends `Access-Control-Allow-Origin` itself; a proxy adds another. \
            Browsers refuse two values as they refuse none.",
        remedy: "Remove the headers middleware (`accessControlAllowOriginList`, \
            `customResponseHeaders`) from the homeserver's IngressRoute, or the rule at the \
            edge.",
    },
    Cause {
        id: "login-no-flow",
        title: "no way to log in is offered",
        explanation: "The homeserver announces no login that a person can use.",
        remedy: "Enable one in homeserver.yaml: `password_config.enabled`, `oidc_providers`, or \
            the authentication service (`matrix_authentication_service`).",
    },
    Cause {
        id: "login-not-routed",
        title: "logins do not reach the authentication service",
        explanation: "The homeserver leaves logins to the Matrix Authentication Service and does \
            not answer them itself; the ingress still sends them to the homeserver, or the \
            service's own addresses are wrong.",
        remedy: "Route `/_matrix/client/{api version}/login`, `logout` and `refresh` to the \
            authentication service, above `/_matrix`; set its `http.public_base` to the https URL.",
    },
    Cause {
        id: "auth-service-down",
        title: "the homeserver cannot ask its authentication service",
        explanation: "Access tokens are looked up at the Matrix Authentication Service; it, or its \
            database, does not answer the homeserver.",
        remedy: "Look at the service's pod and at `matrix_authentication_service.endpoint` and \
            `secret` in homeserver.yaml.",
    },
    Cause {
        id: "registration-open",
        title: "anybody can make an account",
        explanation: "Registration is on and asks for nothing that a program does not have. Such \
            homeservers are found within days and used to flood the federation's rooms.",
        remedy: "Set `enable_registration: false` in \
            `apps/base/matrix/config/synapse-config.yaml`, or `registration_requires_token: true`; \
            then look for accounts that should not be there.",
    },
    Cause {
        id: "admin-api-public",
        title: "the admin API can be reached from outside",
        explanation: "`/_synapse/admin` is routed to Synapse from the public address. One learned \
            token or the shared secret then gives away the server.",
        remedy: "Route only `/_matrix` and `/_synapse/client`: the `path` of the TunnelBinding \
            subject and the rule in `apps/base/matrix/networking/synapse-ingress.yaml`.",
    },
    Cause {
        id: "metrics-public",
        title: "metrics can be read from outside",
        explanation: "Prometheus metrics are served on the homeserver's public address.",
        remedy: "Take `metrics` out of the `resources` of port 8008 in homeserver.yaml, give it a \
            listener of its own, and route only `/_matrix` and `/_synapse/client`.",
    },
    Cause {
        id: "replication-public",
        title: "replication can be reached from outside",
        explanation: "Synapse's replication endpoints, made for its own workers, answer on the \
            public address. Without `worker_replication_secret` anybody can act as a worker.",
        remedy: "Take `replication` out of the `resources` of port 8008 in homeserver.yaml, set \
            `worker_replication_secret`, and route only `/_matrix` and `/_synapse/client`.",
    },
    Cause {
        id: "token-not-asked-for",
        title: "what is somebody's own is answered without a token",
        explanation: "An endpoint that gives a person's data answers with success to a request \
            without an access token: a cache hands out somebody's answer, or a proxy adds a token \
            of its own.",
        remedy: "Take caches off `/_matrix` at the edge (\"cache everything\", edge TTL) and purge \
            them; look for an `Authorization` header that the ingress adds.",
    },
    Cause {
        id: "errors-replaced",
        title: "the homeserver's errors are replaced on the way",
        explanation: "In place of the homeserver's JSON error comes a page, or nothing. Clients \
            need `errcode` to know whether to log out, to wait or to try another way.",
        remedy: "Remove error pages from the homeserver's route: Traefik's `errors` middleware, \
            nginx's `proxy_intercept_errors`, custom error pages at the edge.",
    },
    Cause {
        id: "homeserver-path-not-routed",
        title: "a part of the homeserver's API is not routed to it",
        explanation: "The homeserver answers at some of its paths, and something else at others: \
            the rules of the ingress list prefixes and leave some out, or lead to a worker that \
            does not serve them.",
        remedy: "Route all of `/_matrix` to Service `synapse:8008` in \
            `apps/base/matrix/networking/synapse-ingress.yaml`, and to workers only what the \
            documentation lists for them.",
    },
    Cause {
        id: "error-shape-wrong",
        title: "a refusal is not what clients expect",
        explanation: "The homeserver's refusal has another status, code or content type than the \
            specification says, or lacks a part. Clients mostly get by; some do not.",
        remedy: "Compare with the answer of the homeserver itself, past the ingress \
            (`kubectl -n app-matrix port-forward svc/synapse 8008`); what differs is added on the \
            way.",
    },
    Cause {
        id: "authenticated-media-missing",
        title: "authenticated media are announced and not there",
        explanation: "Clients that see v1.11 among the versions fetch pictures from \
            `/_matrix/client/v1/media` only. It is not known where that leads to.",
        remedy: "Route `/_matrix/client/v1/media` to Synapse, or to the media worker together \
            with `/_matrix/media`, and check that its version serves it.",
    },
    Cause {
        id: "rate-limited-by-edge",
        title: "something before the homeserver limits rates",
        explanation: "429 comes as a page and not as the homeserver's own answer: clients do not \
            know how long to wait, and people behind one address are shut out together.",
        remedy: "Take the rate limit (Traefik's `rateLimit` middleware, Cloudflare's rate limiting \
            rules) off `/_matrix`, or raise it far above what one client asks at its start.",
    },
    Cause {
        id: "rate-limit-shape-wrong",
        title: "a limited answer does not say how long to wait",
        explanation: "429 lacks `M_LIMIT_EXCEEDED`, or both `Retry-After` and `retry_after_ms`. \
            Clients then guess.",
        remedy: "Look for what strips headers or rewrites errors on the homeserver's route.",
    },
    Cause {
        id: "support-contact-wrong",
        title: "the published support contact is of no use",
        explanation: "`/.well-known/matrix/support` is served, and names nobody that can be \
            reached.",
        remedy: "Name a contact with a role and a Matrix id or e-mail address, or a \
            `support_page`; or do not serve the file.",
    },
    Cause {
        id: "rtc-focus-wrong",
        title: "the announced MatrixRTC focus cannot be used",
        explanation: "The client well-known announces a LiveKit service with no usable URL, or one \
            that browsers may not ask.",
        remedy: "Publish `livekit_service_url` as https URL of the service, and leave its \
            `Access-Control-Allow-Origin` as it sends it.",
    },
    Cause {
        id: "rtc-focus-down",
        title: "the announced MatrixRTC focus does not answer",
        explanation: "Nothing, or something else, answers where the client well-known says that \
            the service for Element Call's tokens is. Calls ring and do not connect.",
        remedy: "Look at the pod of `lk-jwt-service` and at the rule that routes `/sfu/get` and \
            `/get_token` to it; correct `livekit_service_url`.",
    },
];
