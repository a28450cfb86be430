//! Causes that the synthetic user sees.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "canary-register-refused",
        title: "no account can be made for the test",
        explanation: "The homeserver does not make an account by the registration secret or the \
            admin's token: the secret is another one or is not set (`HMAC incorrect`, `not \
            enabled`), the token is not an admin's, or `/_synapse/admin` is not reached from here, \
            as it should not be from outside.",
        remedy: "Give `registration_shared_secret` of homeserver.yaml in \
            `canary.shared_secret_file`, and the homeserver's address in the cluster as \
            `canary.homeserver`: `http://synapse.app-matrix.svc:8008`.",
    },
    Cause {
        id: "canary-login-rejected",
        title: "the synthetic user cannot log in",
        explanation: "The homeserver refuses its name and password: they are not the account's, the \
            account was deactivated, or no password is taken any more (`password_config`, another \
            `pepper`, a database restored from before), which then goes for everybody.",
        remedy: "Log in with another account. If that works, correct `canary.user` and \
            `canary.password_file`, or make the account anew with `mxdoctor init --canary`; if \
            not, look at `password_config` in homeserver.yaml.",
    },
    Cause {
        id: "canary-token-rejected",
        title: "the synthetic user's token is not known",
        explanation: "The token of `canary.token_file` was logged out, its device was removed, or \
            the account was deactivated. Tokens are kept in the database: one restored from before \
            does not know newer ones, and people are logged out as well.",
        remedy: "Make a new one with `mxdoctor init --canary`.",
    },
    Cause {
        id: "canary-room-unusable",
        title: "the synthetic user has no room",
        explanation: "The account is not in the room of `canary.room`, or the homeserver does not \
            make a room for it.",
        remedy: "Leave `canary.room` out, or join the account to that room. Where making rooms is \
            refused, read the homeserver's words in the evidence.",
    },
    Cause {
        id: "canary-room-exposed",
        title: "the room of the test is open to others",
        explanation: "The room of `canary.room` can be joined by anybody, or other homeservers have \
            a part in it. Each test message then goes to strangers.",
        remedy: "Leave `canary.room` out: the synthetic user makes a private room that does not \
            federate.",
    },
    Cause {
        id: "message-not-accepted",
        title: "messages are not taken",
        explanation: "Somebody who is logged in and in a room cannot send to it.",
        remedy: "Read the homeserver's words in the evidence and its log: `kubectl -n app-matrix \
            logs deploy/synapse --tail=200`.",
    },
    Cause {
        id: "message-sent-twice",
        title: "a message that is sent again is there twice",
        explanation: "The homeserver does not know a transaction id again. Clients send again what \
            they had no answer to, so that people on bad networks write everything twice.",
        remedy: "Let all requests of one device come to one homeserver process that knows it \
            (balancing by the token, not at random), and see that proxies do not change the path.",
    },
    Cause {
        id: "message-not-delivered",
        title: "messages are taken and do not arrive",
        explanation: "What was sent does not come to who waits for it: with workers the replication \
            is broken (Redis, `instance_map`), or a cache answers for the homeserver.",
        remedy: "Look at Redis and at the workers' logs for replication; restart Synapse; take \
            `/_matrix` out of every cache.",
    },
    Cause {
        id: "transaction-id-lost",
        title: "a device does not know its own message again",
        explanation: "The message comes back without the transaction id under which it was sent. \
            Clients show it twice for a moment.",
        remedy: "Route `/send` and `/sync` to homeserver processes of one deployment, and restart \
            them where they were upgraded one after the other.",
    },
    Cause {
        id: "sync-refused",
        title: "people cannot wait for messages",
        explanation: "`/sync`, or sliding sync where it is announced, is refused or not served.",
        remedy: "Route `/_matrix/client` as a whole to the homeserver, with POST as well as GET and \
            with time to wait (60 s and more).",
    },
    Cause {
        id: "media-upload-refused",
        title: "pictures cannot be sent",
        explanation: "An upload of a few kilobytes is refused: the media volume is full or not \
            writable, or something before the homeserver takes no bodies.",
        remedy: "Look at the volume behind `media_store_path` (space, owner), and at limits of body \
            size in the ingress.",
    },
    Cause {
        id: "media-download-refused",
        title: "pictures cannot be seen",
        explanation: "A picture that was taken a moment before is not given to its owner.",
        remedy: "Route `/_matrix/client/v1/media` as well as `/_matrix/media` to the homeserver, \
            with the `Authorization` header; with several processes, give them one media volume.",
    },
    Cause {
        id: "media-altered",
        title: "files come down altered",
        explanation: "What comes down is not what went up: something between recompresses pictures \
            or cuts them off. Encrypted files are then unreadable.",
        remedy: "Take image optimisation (Cloudflare Polish and Mirage, compression middlewares) off \
            `/_matrix`.",
    },
    Cause {
        id: "media-without-token",
        title: "people's pictures are given to strangers",
        explanation: "The endpoint that needs a token gives a picture without one. Either something \
            between keeps what was given to others (\"cache everything\"), or adds a token itself.",
        remedy: "Take `/_matrix` out of every cache rule of the edge and purge its cache; take \
            rules away that add an `Authorization` header.",
    },
    Cause {
        id: "media-unauthenticated",
        title: "pictures can be seen by anybody who has the link",
        explanation: "The media endpoints of before v1.11, which need no token, serve new files: \
            `enable_authenticated_media` is off.",
        remedy: "Set `enable_authenticated_media: true` in homeserver.yaml, which is the default \
            since Synapse 1.120.",
    },
    Cause {
        id: "thumbnail-failed",
        title: "small versions of pictures are not made",
        explanation: "The homeserver has the picture and makes no small version of it. Timelines \
            and avatars stay empty.",
        remedy: "Look in Synapse's log for `thumbnail`, and at `max_image_pixels` and \
            `dynamic_thumbnails` in homeserver.yaml.",
    },
    Cause {
        id: "openid-broken",
        title: "third parties cannot learn who somebody is",
        explanation: "Integration managers, Jitsi's authentication and Element Call's service ask \
            the federation API whose OpenID token they were shown. It does not say so.",
        remedy: "Add `federation` or `openid` to the resources of Synapse's listener, and route \
            `/_matrix/federation/v1/openid/userinfo` to it.",
    },
    Cause {
        id: "device-keys-lost",
        title: "keys of devices are not kept",
        explanation: "Keys that a device uploads are not there when they are asked for. Nobody can \
            write to it encrypted.",
        remedy: "Look at Synapse's log at that moment; with workers, at which ones serve \
            `/keys/upload` and `/keys/query`, and at their replication.",
    },
    Cause {
        id: "canary-left-behind",
        title: "something of the test is left on the homeserver",
        explanation: "A message was not redacted, a room not left, a login not ended or an account \
            not deactivated. The next run tries again.",
        remedy: "See the step in the evidence. By hand: `POST \
            /_synapse/admin/v1/deactivate/@USER:SERVER` with an admin's token.",
    },
    Cause {
        id: "turn-answer-malformed",
        title: "clients cannot use what the homeserver says of TURN",
        explanation: "`voip/turnServer` is refused, or holds URIs that are none of RFC 7065. Calls \
            then go without TURN.",
        remedy: "Write `turn_uris` in homeserver.yaml as `turn:turn.example.org?transport=udp` and \
            `turns:turn.example.org?transport=tcp`, without slashes.",
    },
];
