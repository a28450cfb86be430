//! Causes first seen by the `element` family.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "element-page-wrong",
        title: "something else answers where Element should",
        explanation: "The page at Element's address is not Element's: the web server's own, a \
            parking page, or another program behind the same ingress.",
        remedy: "Route `element.testing.borooka.ee` to Service `element:80` (TunnelBinding, \
            `apps/base/matrix/networking/element-ingress.yaml`), or correct `element.base_url`.",
    },
    Cause {
        id: "element-bundle-missing",
        title: "Element's page is older than its files",
        explanation: "The page names a script that is not there any more. An edge or a proxy has \
            kept the page over an upgrade, or two versions answer in turn. People see a white \
            page.",
        remedy: "Purge the edge's cache for Element's host, take `index.html` out of its cache \
            rules, and see that all pods run one image: `kubectl -n app-matrix rollout status \
            deploy/element`.",
    },
    Cause {
        id: "element-config-missing",
        title: "Element's config.json is not served",
        explanation: "Without it Element knows no homeserver and stops with \"Your Element is \
            misconfigured\". Often the mount is missing, and a fallback answers with the index \
            page.",
        remedy: "Mount ConfigMap `element-config` at `/app/config.json` in \
            `apps/base/matrix/components/element.yaml`.",
    },
    Cause {
        id: "element-config-invalid",
        title: "Element's config.json cannot be used",
        explanation: "It is not valid JSON (JSON permits no comma after the last entry and no \
            comments), or it says in two ways or in none where the homeserver is.",
        remedy: "Correct `apps/base/matrix/config/element-config.yaml`, check it with `jq .`, and \
            restart Element.",
    },
    Cause {
        id: "element-base-url-wrong",
        title: "Element leads to another place than this homeserver",
        explanation: "`default_server_config` in Element's configuration does not name this \
            stack's homeserver.",
        remedy: "Set `\"base_url\": \"https://matrix.testing.borooka.ee\"` in \
            `apps/base/matrix/config/element-config.yaml` and restart Element.",
    },
    Cause {
        id: "element-server-name-wrong",
        title: "Element names another server",
        explanation: "The `server_name` in Element's configuration is not the one in user ids; \
            often it is the homeserver's host.",
        remedy: "Set `\"server_name\": \"testing.borooka.ee\"` in \
            `apps/base/matrix/config/element-config.yaml`.",
    },
    Cause {
        id: "element-widget-missing",
        title: "Element's page for calls does not load",
        explanation: "Element opens a call in a page of its own, `jitsi.html`. It is missing, or \
            another page answers in its place, and calls stay a grey box.",
        remedy: "Route all paths of Element's host to Service `element:80`, serve the files of the \
            image as they are, and purge caches after an upgrade.",
    },
    Cause {
        id: "element-jitsi-key-ignored",
        title: "Element ignores the key that names the Jitsi host",
        explanation: "The host stands under a key that Element does not read, such as \
            `preferredDomain`. Element merges its default for `jitsi.preferred_domain`, \
            `meet.element.io`, in first, and that wins: calls take place on a stranger's server.",
        remedy: "In `apps/base/matrix/config/element-config.yaml` write \
            `\"jitsi\": {\"preferred_domain\": \"meet.testing.borooka.ee\"}`.",
    },
    Cause {
        id: "element-jitsi-domain-wrong",
        title: "calls from Element go to another Jitsi",
        explanation: "The Jitsi host that Element ends up with is not this deployment's, or not a \
            bare host. The client well-known overrides Element's own configuration.",
        remedy: "Set `jitsi.preferred_domain` in `apps/base/matrix/config/element-config.yaml` to \
            `meet.testing.borooka.ee`, and `im.vector.riot.jitsi` in the client well-known to the \
            same or not at all.",
    },
    Cause {
        id: "element-vulnerable",
        title: "Element has a known weakness that strangers can use",
        explanation: "The version that is served has a published weakness. The evidence names it.",
        remedy: "Upgrade Element: the image tag in `apps/base/matrix/components/element.yaml`.",
    },
    Cause {
        id: "element-frames-blocked",
        title: "Element's headers keep calls from working",
        explanation: "Element shows calls in a frame of its own, which holds a frame of the Jitsi \
            host. A header forbids one of them, or camera or microphone.",
        remedy: "Send `X-Frame-Options: SAMEORIGIN` instead of DENY and `frame-ancestors 'self'` \
            instead of 'none', name the Jitsi host in `frame-src`, and take camera and microphone \
            out of `Permissions-Policy`.",
    },
    Cause {
        id: "element-headers-missing",
        title: "Element's page is sent without protection against framing",
        explanation: "Other sites can show Element in a frame and steal clicks, or make the \
            browser guess a file's type. The stock image does not send these headers.",
        remedy: "Add `X-Frame-Options: SAMEORIGIN`, `X-Content-Type-Options: nosniff` and \
            `Content-Security-Policy: frame-ancestors 'self'` where Element is served.",
    },
    Cause {
        id: "element-shares-origin",
        title: "Element and the homeserver share one host",
        explanation: "A file that somebody uploads to the homeserver and that a browser runs would \
            run with Element's access to the user's keys.",
        remedy: "Give Element a host of its own, such as `element.testing.borooka.ee`.",
    },
    Cause {
        id: "element-cached",
        title: "files of Element that change may be kept for long",
        explanation: "The page, the configuration or the version is sent so that browsers or edges \
            may use an old copy. After an upgrade people then see a white page or old settings.",
        remedy: "Send `Cache-Control: no-cache` for `/`, `/index.html`, `/config*.json` and \
            `/version`, and exclude them from the edge's cache rules.",
    },
    Cause {
        id: "service-worker-missing",
        title: "Element's service worker cannot run: pictures stay empty",
        explanation: "Media needs a token, which a browser does not send when it loads a picture. \
            Element's service worker (`sw.js`) adds it. It is not served, not served as \
            JavaScript, not over https, or forbidden by the content security policy.",
        remedy: "Serve every file of the image `vectorim/element-web` from the root of its host \
            over https, with its own content types; permit `worker-src 'self'` where a policy is \
            added.",
    },
    Cause {
        id: "mixed-content",
        title: "Element leads over plain http",
        explanation: "Browsers load nothing over plain http into a page that came over https. What \
            needs it stays empty, without a message.",
        remedy: "Write `https://` URLs in `apps/base/matrix/config/element-config.yaml`, or take \
            the key out; serve scripts and styles from Element's own host.",
    },
    Cause {
        id: "element-unknown-path",
        title: "Element's host answers for files that are not there",
        explanation: "A page is given for every name. Element then reads HTML as its configuration \
            for the host, and a bundle that is gone after an upgrade becomes a page under the \
            bundle's name, which edges keep.",
        remedy: "Remove the fallback to `index.html` (`try_files`, a rewrite, \"single-page \
            application\" at the edge) from Element's host: Element needs none.",
    },
    Cause {
        id: "element-config-fatal",
        title: "Element refuses to start with its configuration",
        explanation: "The default homeserver is named in no way, in two ways that exclude each \
            other, or by something that is not of its type. Whoever is not logged in sees \"Your \
            Element is misconfigured\".",
        remedy: "In `apps/base/matrix/config/element-config.yaml` keep `default_server_config` \
            and remove `default_hs_url` and `default_is_url`.",
    },
];
