//! Causes seen by a conference of two guests.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "jicofo-unavailable",
        title: "no focus answers",
        explanation: "The request for a conference is answered by nobody: Jicofo is down, or \
            could not log in to Prosody, or the proxy component `focus.` does not know of it. \
            Nobody can begin a call.",
        remedy: "Look at `kubectl -n app-matrix logs deploy/jitsi-jicofo`. \
            `JICOFO_AUTH_PASSWORD` must be the same on Jicofo and Prosody (one Secret); a \
            volume of Prosody keeps the old password, so change it there with `prosodyctl` or \
            delete the volume. `XMPP_SERVER` must be the name of the Prosody Service; and the \
            log of Prosody has `register-setup` without an error.",
    },
    Cause {
        id: "jicofo-not-connected",
        title: "Jicofo has no connection to Prosody",
        explanation: "Jicofo runs and is not logged in: Prosody does not accept its password, is \
            not found under the name that it was given, or is down. Nobody can begin a call.",
        remedy: "Give Jicofo and Prosody the same `JICOFO_AUTH_PASSWORD` (one Secret; a volume of \
            Prosody keeps the old password, so change it there with `prosodyctl` or delete the \
            volume) and the same `XMPP_AUTH_DOMAIN`; let `XMPP_SERVER` be the name of the \
            Prosody Service. The log of Jicofo says `not-authorized`, or which name it tried.",
    },
    Cause {
        id: "focus-component-missing",
        title: "Prosody has no component for the focus",
        explanation: "Clients ask `focus.` and the deployment's domain for a conference, and \
            Prosody does not serve that name: the domains of web and Prosody differ, or the \
            configuration of Prosody is an old one.",
        remedy: "Give web and Prosody the same `XMPP_DOMAIN`, and let Prosody write its \
            configuration anew (delete what is kept in its `/config`).",
    },
    Cause {
        id: "focus-stuck",
        title: "the focus does not get ready",
        explanation: "Jicofo takes the request and does not say that it is ready. It joins the \
            room first, so something about the rooms is wrong: their domain differs, or the \
            component does not run.",
        remedy: "Give Jicofo, Prosody and web the same `XMPP_MUC_DOMAIN`; look at the log of \
            Jicofo for the room's name, and at that of Prosody for the MUC component.",
    },
    Cause {
        id: "reservation-unreachable",
        title: "the reservation system does not answer",
        explanation: "Prosody asks a reservation system for each new room, and has no answer \
            from it. No call can begin.",
        remedy: "Check `PROSODY_RESERVATION_REST_BASE_URL` on Prosody and what it leads to, or \
            unset `PROSODY_RESERVATION_ENABLED`.",
    },
    Cause {
        id: "focus-not-in-room",
        title: "the focus is not in the room",
        explanation: "A guest's join waits for the focus, or the room has none in it: Jicofo \
            joined a room of another domain or another Prosody, or is stuck.",
        remedy: "Give Jicofo, Prosody and web the same `XMPP_MUC_DOMAIN`, run one replica of \
            Prosody, and look for `Joining` in Jicofo's log.",
    },
    Cause {
        id: "room-creation-restricted",
        title: "only the focus may create rooms, and it did so elsewhere",
        explanation: "The focus says that it is ready, and the room that guests join does not \
            exist: the focus made a room of another domain.",
        remedy: "Give Jicofo, Prosody and web the same `XMPP_MUC_DOMAIN` and `XMPP_DOMAIN` from \
            one ConfigMap, and restart all three.",
    },
    Cause {
        id: "rooms-not-shared",
        title: "two guests of one room do not see each other",
        explanation: "Both joined the room of one name and each is alone in it. There are two \
            Prosodys that know nothing of each other; which one answers is chance.",
        remedy: "Run Prosody with `replicas: 1` and the strategy `Recreate`, and see that just \
            one pod is behind its Service.",
    },
    Cause {
        id: "room-refused",
        title: "the room lets a guest not in",
        explanation: "Prosody refuses the join, or puts the guest out again, for a reason of a \
            module of its own.",
        remedy: "See the reason in the evidence, and the log of Prosody; look at \
            `XMPP_MUC_MODULES` and `GLOBAL_MODULES`.",
    },
    Cause {
        id: "room-full",
        title: "a new room is full",
        explanation: "A room of a new random name takes no second guest: `MAX_PARTICIPANTS` is \
            too small, or no component serves the rooms.",
        remedy: "Raise or unset `MAX_PARTICIPANTS` on Prosody, and see that its MUC component \
            is loaded.",
    },
    Cause {
        id: "muc-missing",
        title: "Prosody has no component for rooms",
        explanation: "The domain of rooms that `config.js` names is not served.",
        remedy: "Give web and Prosody the same `XMPP_MUC_DOMAIN`.",
    },
    Cause {
        id: "xmpp-rate-limited",
        title: "the XMPP server limits how fast people join",
        explanation: "Joins are refused as too fast. With rate limits on, all guests count as \
            one where they come by one proxy.",
        remedy: "Set `PROSODY_TRUSTED_PROXIES` to the range of the pods (`10.0.0.0/8`), or \
            unset `PROSODY_ENABLE_RATE_LIMITS`.",
    },
    Cause {
        id: "guests-not-allowed",
        title: "guests are sent to a domain that lets none in",
        explanation: "`config.js` names a domain for guests (`hosts.anonymousdomain`), and \
            Prosody offers no anonymous login there. Who has no account cannot join.",
        remedy: "Set `ENABLE_GUESTS=1` and the same `XMPP_GUEST_DOMAIN` on web and Prosody (it \
            needs `ENABLE_AUTH=1` on both), and let Prosody write its configuration anew.",
    },
    Cause {
        id: "xmpp-no-mechanisms",
        title: "the XMPP server offers no way to log in",
        explanation: "Prosody takes the connection for an insecure one and therefore offers no \
            mechanism. The proxy in front does the encryption, and Prosody has to be told that \
            this is well.",
        remedy: "Restore `consider_websocket_secure = true` and `consider_bosh_secure = true` \
            in Prosody's configuration (a mounted one has lost them), or unset \
            `PROSODY_C2S_REQUIRE_ENCRYPTION`.",
    },
    Cause {
        id: "jitsi-password-wrong",
        title: "the deployment does not take our user and password",
        explanation: "The user of `jitsi.user` is refused, so nothing can be said of calls.",
        remedy: "Correct `jitsi.user` and `jitsi.password_file`, and `jitsi.domain` where the \
            user is not of the deployment's own domain.",
    },
    Cause {
        id: "jitsi-token-refused",
        title: "the deployment does not take our token",
        explanation: "The token of `jitsi.token` is refused: it has expired, is of another \
            issuer or audience, or is signed with another key. So nothing can be said of calls.",
        remedy: "Make a new token that fits `JWT_APP_ID`, `JWT_APP_SECRET`, \
            `JWT_ACCEPTED_ISSUERS` and `JWT_ACCEPTED_AUDIENCES` of Prosody.",
    },
    Cause {
        id: "components-missing",
        title: "components of Jitsi Meet are not advertised",
        explanation: "Prosody advertises each component that it loaded. One that is missing did \
            not start, or is switched off; its buttons do nothing.",
        remedy: "Look for errors at the start in the log of Prosody; `ENABLE_LOBBY`, \
            `ENABLE_BREAKOUT_ROOMS` and `ENABLE_AV_MODERATION` switch some on.",
    },
    Cause {
        id: "bridge-unavailable",
        title: "the focus has no video bridge",
        explanation: "The focus knows of no bridge that works: none has logged in to Prosody \
            and joined the brewery, or each is unhealthy or refuses what the focus asks. People \
            are in the room and hear nothing.",
        remedy: "Look for `Joined MUC` in the log of the jvb container: `JVB_AUTH_PASSWORD` \
            must be the same on jvb and Prosody, `XMPP_SERVER` must resolve (with `hostNetwork: \
            true` that needs `dnsPolicy: ClusterFirstWithHostNet`), and `JVB_BREWERY_MUC`, \
            `XMPP_INTERNAL_MUC_DOMAIN` and `XMPP_AUTH_DOMAIN` the same on jvb, Jicofo and \
            Prosody. `ENABLE_SCTP` must be the same on jvb and Jicofo.",
    },
    Cause {
        id: "focus-does-not-invite",
        title: "the focus invites nobody",
        explanation: "Two guests are in the room, the focus does not say that it lacks a \
            bridge, and no invitation comes: the bridge does not answer the focus, or the focus \
            is stuck.",
        remedy: "Look at Jicofo's log from the moment of the join, and restart Jicofo, then the \
            bridge.",
    },
    Cause {
        id: "offer-unusable",
        title: "the invitation cannot be used",
        explanation: "The offer lacks what every session needs: a transport with keys, a \
            fingerprint, or sound.",
        remedy: "See what is missing in the evidence; use the jvb and Jicofo of one release, \
            and look at `custom-jicofo.conf`.",
    },
    Cause {
        id: "accept-refused",
        title: "the focus does not take a guest's answer",
        explanation: "The focus answers the acceptance of its own offer with an error.",
        remedy: "See the reason in the evidence, and Jicofo's log at that moment; use parts of \
            one release.",
    },
    Cause {
        id: "bridge-unstable",
        title: "sessions with the bridge break",
        explanation: "The focus ended a session at once, or invited a guest again: the bridge \
            failed right after it had taken the session, or focus and bridge no longer know the \
            same conferences.",
        remedy: "Look at the log of the jvb container for restarts and out of memory, and at \
            its limits (no CPU limit; `VIDEOBRIDGE_MAX_MEMORY` under the memory limit). After a \
            restart of one, restart Jicofo.",
    },
    Cause {
        id: "media-silent",
        title: "connected, and nothing is heard",
        explanation: "Both guests have keys with the bridge, and no sound of one comes to the \
            other. The packets of media are lost although those of the handshake came, or the \
            bridge does not forward them.",
        remedy: "Look for SRTP errors at `/debug?full=true` of the bridge \
            (`num_srtp_auth_fail`), at filters that let only small packets or only STUN and \
            DTLS through, and at the bridge's log.",
    },
    Cause {
        id: "media-one-way",
        title: "sound flows one way only",
        explanation: "One guest hears the other and is not heard. Packets are dropped in one \
            direction.",
        remedy: "Compare the firewall's rules for UDP 10000 inbound and outbound on the node \
            and in the cloud; the evidence says what the bridge reports of the silent guest's \
            packets.",
    },
    Cause {
        id: "media-lossy",
        title: "much of the sound is lost",
        explanation: "Sound flows, and so much of it is lost that people hear gaps.",
        remedy: "Look at the CPU throttling of the jvb pod (set no CPU limit), use \
            `hostNetwork: true` rather than an overlay, raise `net.core.rmem_max` and \
            `net.core.wmem_max` to 10 MB on the node, and test the line.",
    },
    Cause {
        id: "last-n-zero",
        title: "video is not forwarded",
        explanation: "Sound is forwarded and video is not: browsers ask for no video \
            (`channelLastN` of 0 in `config.js`), or the bridge has been told to forward none.",
        remedy: "Set `CHANNEL_LAST_N` on web to -1 or unset it; look at `lastNLimits` in \
            `custom-config.js` and at `jvb.conf` for `last-n`.",
    },
    Cause {
        id: "bridge-channel-unavailable",
        title: "the bridge channel does not open",
        explanation: "The channel over which browsers tell the bridge whose video they want is \
            not offered, not answered, or not routed.",
        remedy: "For the data channel, the default, set `ENABLE_SCTP` to the same value on jvb \
            and Jicofo. For the WebSocket set `ENABLE_COLIBRI_WEBSOCKET=1` on web and jvb, \
            `PUBLIC_URL` on jvb, `JVB_WS_SERVER_ID` to a name that web's nginx can reach at \
            port 9090, and `COLIBRI_WEBSOCKET_REGEX` on web so that it fits.",
    },
    Cause {
        id: "bridge-channel-silent",
        title: "the bridge channel carries nothing",
        explanation: "The channel opens, and messages of one guest do not come to the other.",
        remedy: "Look at the bridge's log for `EndpointMessageTransport`, and at what ends or \
            buffers WebSockets on the way.",
    },
    Cause {
        id: "room-left-behind",
        title: "the room stays after everybody has left",
        explanation: "Both guests have left and the room is still there: something else is in \
            it, or Prosody keeps rooms.",
        remedy: "Look at Jicofo's log for why it stays, for a recorder or transcriber in the \
            room, and at `muc_room_default_persistent` in Prosody's configuration.",
    },
];
