//! Causes that stand in manifests and in the configuration inside them.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "configuration-not-rendered",
        title: "a placeholder stands in a configuration that nobody renders",
        explanation: "Synapse, Element and the images of Jitsi replace no variables in the files \
            that they read, and `kubectl apply -k` does not either. A placeholder is taken for the \
            value: a secret that everybody who has seen the repository knows.",
        remedy: "Mount the Secret as a file and name it in the option that ends in `_path`; for \
            the database leave `password` out and set `PGPASSWORD` from the Secret.",
    },
    Cause {
        id: "configuration-ignored",
        title: "a setting is given in a way that the program does not read",
        explanation: "The name is one that the image knows in another mode, or not at all. It \
            starts without the value, and nothing tells of it.",
        remedy: "Give it in the way that the finding names, and take the other out.",
    },
    Cause {
        id: "configuration-not-found",
        title: "a file that the program is told to read is not there",
        explanation: "The path in the configuration or the environment, the path of the mount and \
            the key of the ConfigMap do not fit together.",
        remedy: "Make the three the same; a mount by `subPath` needs the key's own name.",
    },
    Cause {
        id: "configuration-incomplete",
        title: "a setting without which the program does not start is missing",
        explanation: "The program asks for a decision and ends.",
        remedy: "Write the setting that the finding names into the configuration.",
    },
    Cause {
        id: "configuration-contradicts-itself",
        title: "two settings exclude each other",
        explanation: "The program refuses to choose and ends.",
        remedy: "Keep one of the two that the finding names.",
    },
    Cause {
        id: "media-not-kept",
        title: "media are not on a volume that lasts",
        explanation: "What people upload is written into the container, or into a volume that ends \
            with the pod, and is gone at its next restart.",
        remedy: "Mount the claim at `/data` and set `media_store_path: /data/media_store`.",
    },
    Cause {
        id: "public-baseurl-wrong",
        title: "Synapse tells clients another address than its own",
        explanation: "`public_baseurl` goes into well-known, mails, single sign-on and media. It \
            has to be the name by which the routes lead to Synapse.",
        remedy: "Set `public_baseurl` to that name, with https and without a path.",
    },
    Cause {
        id: "signing-key-not-mounted",
        title: "the signing key is not where Synapse reads it",
        explanation: "`signing_key_path` and the mount of the Secret name different paths. In \
            `run` mode nothing makes a key, so Synapse ends.",
        remedy: "Use one path in both, with the key of the Secret as `subPath`.",
    },
    Cause {
        id: "signing-key-not-kept",
        title: "the signing key can be lost",
        explanation: "The key is the homeserver's identity: with a new one other servers refuse \
            its events. It is kept on one volume only, or a new one is made where it is missing.",
        remedy: "Keep it in a SealedSecret and outside the cluster, and start Synapse in `run` mode.",
    },
    Cause {
        id: "port-mismatch",
        title: "requests are sent to a port where nobody listens",
        explanation: "The port of the program, of the container and the Service's target are not \
            the same number. The endpoints look healthy and refuse every connection.",
        remedy: "Use one number, or name the container's port and target the name.",
    },
    Cause {
        id: "listens-on-loopback",
        title: "a program listens inside its pod only",
        explanation: "Bound to loopback it answers `kubectl exec`, and nobody by the Service.",
        remedy: "Bind it to all addresses of the pod.",
    },
    Cause {
        id: "client-address-lost",
        title: "Synapse does not see people's addresses",
        explanation: "Without `x_forwarded` every request has the proxy's address: rate limits, \
            bans and lists of devices take all people for one.",
        remedy: "Set `x_forwarded: true` on the listener that the proxy speaks to.",
    },
    Cause {
        id: "listener-speaks-tls",
        title: "a listener speaks TLS where its proxy speaks plain HTTP",
        explanation: "Ingress and tunnel end TLS and speak HTTP to the Service.",
        remedy: "Set `tls: false` on the listener.",
    },
    Cause {
        id: "database-not-postgres-configured",
        title: "Synapse is configured for SQLite",
        explanation: "The database that the operator keeps and backs up stays empty; everything is \
            in one file of the pod's volume.",
        remedy: "Set `database.name: psycopg2` with the Cluster's address, and move the data with \
            `synapse_port_db`.",
    },
    Cause {
        id: "database-reference-wrong",
        title: "Synapse's configuration names another database than the cluster has",
        explanation: "Host, user or database are not those that CloudNativePG makes for this \
            Cluster.",
        remedy: "Use the Service that ends in `-rw`, and the names in `bootstrap.initdb`.",
    },
    Cause {
        id: "two-main-processes",
        title: "two main processes of Synapse share a database",
        explanation: "Each believes to be the only one that writes: stream positions collide.",
        remedy: "`replicas: 1` and `strategy: Recreate`; scale by workers.",
    },
    Cause {
        id: "jitsi-secret-not-wired",
        title: "a part of Jitsi is not given its password",
        explanation: "Focus and bridge log in to Prosody with passwords that all three are given \
            by variables. Without them the containers end at once, or are not let in.",
        remedy: "Set `JICOFO_AUTH_PASSWORD` and `JVB_AUTH_PASSWORD` by `secretKeyRef`, in Prosody \
            both.",
    },
    Cause {
        id: "xmpp-server-unset",
        title: "a part of Jitsi is not told where Prosody is",
        explanation: "The images look for `xmpp.meet.jitsi`, a name of the Docker network, which \
            no cluster has.",
        remedy: "Set `XMPP_SERVER` for focus and bridge, and `XMPP_BOSH_URL_BASE` for the web \
            server, to the Service of Prosody.",
    },
    Cause {
        id: "prosody-port-missing",
        title: "Prosody's Service lacks its HTTP port",
        explanation: "Port 5222 is for focus and bridge. People come through the web server to \
            port 5280, and get 502 there.",
        remedy: "Add `{name: http, port: 5280, targetPort: 5280}` to the Service.",
    },
    Cause {
        id: "memory-limit-below-heap",
        title: "the heap does not fit the container's memory limit",
        explanation: "The Java machine takes memory up to its heap, and the kernel ends the \
            container at its limit, in the middle of calls.",
        remedy: "Set `VIDEOBRIDGE_MAX_MEMORY` and `JICOFO_MAX_MEMORY` to about 70 % of the limit.",
    },
    Cause {
        id: "certificate-secret-shared",
        title: "two Certificates write the same Secret",
        explanation: "cert-manager issues one, finds the other's in the Secret, and issues again, \
            without end. The Secret holds now one and now the other.",
        remedy: "Give each Certificate a `secretName` of its own.",
    },
    Cause {
        id: "service-selects-several",
        title: "a Service selects several workloads",
        explanation: "Requests are spread over all pods that have the labels, whatever runs in \
            them.",
        remedy: "Narrow the selector to labels that one workload alone has.",
    },
    Cause {
        id: "tunnel-binding-malformed",
        title: "a TunnelBinding has another shape than its kind",
        explanation: "`subjects` and `tunnelRef` stand at the top of the object; there is no \
            `spec`.",
        remedy: "Move both to the top.",
    },
    Cause {
        id: "tunnel-port-wrong",
        title: "the tunnel leads to another port of the Service than the one that is meant",
        explanation: "The operator takes the first port in the Service's list, whatever its name.",
        remedy: "Put the web port first, or name host and port in the subject's `target`.",
    },
    Cause {
        id: "tunnel-protocol-wrong",
        title: "the tunnel speaks another protocol than the Service behind",
        explanation: "The Services of this stack speak plain HTTP; TLS ends at the edge.",
        remedy: "Leave `protocol` and `noTlsVerify` out of the subject.",
    },
    Cause {
        id: "tunnel-name-twice",
        title: "two bindings claim the same name",
        explanation: "The first by the alphabet has the name; the other is never asked.",
        remedy: "Take the name out of one of the two.",
    },
    Cause {
        id: "claim-missing",
        title: "a pod names a claim that is not there",
        explanation: "The pod is not scheduled until the claim is there.",
        remedy: "Use the claim's name as it is, or add the claim to the tree.",
    },
    Cause {
        id: "secret-in-plain-text",
        title: "a secret can be read in the files",
        explanation: "A Secret is encoded, not encrypted, and a ConfigMap not even that. What \
            stood in a repository once stays in its history and in every copy.",
        remedy: "Make new values, seal them (SealedSecret, SOPS, an external store), and name \
            them by `secretKeyRef` or as files. The old values stay known.",
    },
    Cause {
        id: "secret-optional",
        title: "a program starts without a password that it needs",
        explanation: "`optional: true` lets the container start where the Secret is missing. It \
            then ends with an error of its own, or is let in nowhere.",
        remedy: "Take `optional` out, so that the kubelet names the Secret that is missing.",
    },
    Cause {
        id: "sealed-secret-scope-wide",
        title: "a SealedSecret can be opened in every namespace",
        explanation: "With the scope cluster-wide whoever may make SealedSecrets anywhere can copy \
            this one to a namespace of their own, and read the Secret there.",
        remedy: "Seal it again with the scope strict, for its own name and namespace.",
    },
    Cause {
        id: "configuration-deprecated",
        title: "a setting is given in a form that goes away",
        explanation: "It works until the next upgrade of the program that reads it, or the one \
            after.",
        remedy: "Write it in the present form, which the finding names.",
    },
    Cause {
        id: "database-single-instance",
        title: "the database is one pod on one node",
        explanation: "Every drain of its node, every new image and every lost disk is an outage of \
            the homeserver.",
        remedy: "Run 3 instances on 3 nodes; or plan drains and updates, and keep backups outside.",
    },
    Cause {
        id: "storage-replicas-unfit",
        title: "the copies of the database are kept twice, or not at all",
        explanation: "PostgreSQL keeps copies by instances, Longhorn by replicas. Both together \
            multiply every write; neither leaves one disk between the data and their end.",
        remedy: "Several instances on a class with one replica.",
    },
    Cause {
        id: "database-upgrade-unplanned",
        title: "another major version of PostgreSQL is asked for than the data are of",
        explanation: "The operator stops the database and converts all data, or refuses to go on.",
        remedy: "Go back to the old image; take a backup; change it in a planned window.",
    },
    Cause {
        id: "database-resources-unset",
        title: "no memory is set aside for the database",
        explanation: "Its pods are of the class BestEffort, which the kubelet ends first when a \
            node runs short of memory.",
        remedy: "Set `resources` with the same memory in requests and limits.",
    },
    Cause {
        id: "backup-in-the-same-place",
        title: "backups stay in the cluster that they are of",
        explanation: "What takes the cluster or its disks takes the backups too.",
        remedy: "Use an object store outside, or copy the bucket to one.",
    },
    Cause {
        id: "turn-not-configured",
        title: "calls of two have no TURN server",
        explanation: "Two people behind NATs cannot reach each other. Without a TURN server their \
            call rings and stays silent.",
        remedy: "Run coturn or eturnal with a public address, and set `turn_uris` and \
            `turn_shared_secret_path`.",
    },
    Cause {
        id: "third-party-dependence",
        title: "a third party learns of this server, or is needed by it",
        explanation: "A default or a setting asks somebody else's server, and what it is asked it \
            knows.",
        remedy: "Decide whether that is meant, and write the decision down.",
    },
    Cause {
        id: "macaroon-key-unset",
        title: "the key for macaroons is made of another key",
        explanation: "It hangs on the registration secret or on the signing key. Whoever replaces \
            that one makes all tokens of it void.",
        remedy: "Set `macaroon_secret_key_path` to a file of a Secret, once.",
    },
    Cause {
        id: "jitsi-accounts-not-kept",
        title: "accounts in Prosody are not kept",
        explanation: "Internal accounts are files of Prosody's. On a volume that ends with the pod \
            they end too.",
        remedy: "Mount a claim at `/config`, or let people in by JWT.",
    },
    Cause {
        id: "conferences-open-to-all",
        title: "anybody on the internet may open conferences",
        explanation: "Without accounts the first who comes to a room opens it.",
        remedy: "Set `ENABLE_AUTH` and `ENABLE_GUESTS`, with `AUTH_TYPE` jwt or internal.",
    },
    Cause {
        id: "security-context-unfit",
        title: "the security settings of a container do not fit its image",
        explanation: "The image has to write where it may not, or to be a user that it may not be, \
            and ends at its start.",
        remedy: "Give it volumes where it writes, and the user that it is made for.",
    },
];
