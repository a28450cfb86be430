//! Causes first seen by the checks of signing keys and signed requests.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "signing-key-changed",
        title: "the homeserver has another signing key than before",
        explanation: "Other servers keep a key once they have seen it. Under the same id a new one \
                      is refused for good; under a new id, what was signed before can be verified \
                      no more, unless the old key is listed. Mostly the key file was not mounted, \
                      and the homeserver made itself a new one at its start.",
        remedy: "mount the signing key from the Secret `synapse-signing-key` again; where the old \
                 one is lost, list its public half under `old_signing_keys` in homeserver.yaml and \
                 give the new one another id",
    },
    Cause {
        id: "state-unusable",
        title: "what earlier runs left cannot be used",
        explanation: "The file that keeps what is known from earlier runs cannot be read, is not \
                      one of this tool, or cannot be written. It is left as it is, and nothing is \
                      compared with it.",
        remedy: "look at the file that is named and move it away, or choose another folder with \
                 `--state` or `state` in stack.toml",
    },
    Cause {
        id: "clock-skew",
        title: "the homeserver's clock is wrong",
        explanation: "Events and keys bear the homeserver's time. With a clock that is wrong, other \
                      servers see keys that are not valid yet, or no more, and users see messages \
                      in the wrong order.",
        remedy: "synchronise the clock of the node that runs the homeserver (`timedatectl \
                 set-ntp true`, `chronyc makestep`)",
    },
    Cause {
        id: "federation-accepts-unsigned",
        title: "requests are accepted without a valid signature",
        explanation: "The homeserver answers requests of other servers that are not signed, or \
                      wrongly. Anybody can speak in the name of any server.",
        remedy: "take whatever answers in the homeserver's place out of the way, and update the \
                 homeserver",
    },
    Cause {
        id: "federation-refusal-replaced",
        title: "something in front refuses in the homeserver's place",
        explanation: "Requests of other servers are refused, as they must be, but not by the \
                      homeserver: a login, a firewall or an error page of a proxy answers. It \
                      will keep back requests that are signed as well.",
        remedy: "let `/_matrix/federation` pass with all its methods and headers, with no login \
                 and no rule of a firewall before it",
    },
    Cause {
        id: "federation-refusal-unusual",
        title: "wrong requests are refused in an unusual way",
        explanation: "The specification says how requests that are not signed, or for another \
                      server, are refused. Other servers decide by it whether to try again.",
        remedy: "update the homeserver; where a proxy changes statuses or bodies, let it pass them \
                 on unchanged",
    },
    Cause {
        id: "authorization-header-lost",
        title: "the Authorization header does not arrive",
        explanation: "A signed request is answered as if it had no signature: a proxy takes the \
                      `Authorization` header away. No other server can do more than look at the \
                      version.",
        remedy: "pass the `Authorization` header on to the homeserver (a middleware that does \
                 authentication of its own removes it)",
    },
    Cause {
        id: "encoded-characters-refused",
        title: "the ingress refuses paths with encoded characters",
        explanation: "Room aliases and event ids stand in paths with `%23`, `%2F` and the like. \
                      Traefik 3.6.4 to 3.6.6 and 2.11.32 refuse these by default: joining a room \
                      by its alias hangs, the backup of keys fails, and so does part of federation.",
        remedy: "update Traefik to 3.6.7 or later, or set `http.encodedCharacters` with \
                 `allowEncodedSlash`, `allowEncodedHash`, `allowEncodedPercent`, \
                 `allowEncodedQuestionMark` and `allowEncodedSemicolon` on every entry point; in a \
                 web application firewall take `/_matrix` out of the rules for encoded paths",
    },
    Cause {
        id: "escaped-paths-decoded",
        title: "a proxy decodes the path",
        explanation: "What arrives at the homeserver is not the path that was sent. Signatures of \
                      other servers are made over the path, and hold no more wherever a character \
                      is encoded in it; ids with a slash lead nowhere.",
        remedy: "pass the path on as it came: nginx `proxy_pass` without a path behind the port, \
                 Apache `AllowEncodedSlashes NoDecode` and `ProxyPass … nocanon`, Cloudflare \
                 without \"Normalize URLs to origin\"",
    },
    Cause {
        id: "notary-broken",
        title: "the homeserver's notary does not answer as it must",
        explanation: "`/_matrix/key/v2/query` vouches for keys of other servers. Those that trust \
                      this one as a notary cannot verify what they ask it about.",
        remedy: "route `/_matrix/key` as a whole to the homeserver, and keep `federation` or \
                 `keys` among the `resources` of its listener",
    },
    Cause {
        id: "federation-outbound-blocked",
        title: "the homeserver does not reach other servers",
        explanation: "A request of a server that is new to it was refused because its key could \
                      not be fetched, and nobody came to fetch it: the homeserver cannot resolve \
                      or reach other servers. Or it may not: Synapse refuses private and reserved \
                      addresses. What it has not verified, it does not believe.",
        remedy: "let the homeserver out: name resolution, ports 443 and 8448 and any other \
                 (NetworkPolicy, firewall); see that IPv6 works or is off; a private address needs \
                 `ip_range_whitelist` in homeserver.yaml",
    },
    Cause {
        id: "identity-unreachable",
        title: "whether the homeserver reaches other servers could not be tried",
        explanation: "Nobody came to fetch the key of our own identity, and its address is one that \
                      the homeserver need not be able to reach: it was not named in the \
                      configuration, or is private.",
        remedy: "write under `[federation]` in stack.toml the `name` by which the homeserver \
                 reaches the address of `listen`; in a private network that must be a name in DNS, \
                 and its address in `ip_range_whitelist` of homeserver.yaml, which Synapse does \
                 not hold bare addresses against",
    },
    Cause {
        id: "identity-certificate-refused",
        title: "the homeserver does not trust our own certificate",
        explanation: "The homeserver came for the key of our own identity, so that it resolves and \
                      reaches other servers, and refused the certificate. One that the tool signs \
                      itself is refused by every Synapse that is not told otherwise.",
        remedy: "give the identity a certificate by `certificate` and `key` under `[federation]` in \
                 stack.toml, or add its name to `federation_certificate_verification_whitelist` \
                 (or its authority to `federation_custom_ca_list`) in homeserver.yaml",
    },
    Cause {
        id: "signed-request-refused",
        title: "correctly signed requests are refused",
        explanation: "The homeserver fetched the key of our own identity and still refuses what is \
                      signed with it. The request does not arrive as it was sent, the homeserver's \
                      clock is far off, or it takes itself for another server.",
        remedy: "see that no proxy changes method, path, query or body, that the clock of the \
                 homeserver is right, and what its log says of `Invalid signature`",
    },
];
