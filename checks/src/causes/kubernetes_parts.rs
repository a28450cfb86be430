//! Causes that an API server shows: Services, routes, certificates, Secrets and operators.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "jitsi-versions-differ",
        title: "the parts of Jitsi are of different releases",
        explanation: "The parts change together: a port, a variable or a message of one release \
                      is not that of another.",
        remedy: "set one tag for the four images in `kustomization.yaml`",
    },
    Cause {
        id: "load-balancer-pending",
        title: "a load balancer has no address",
        explanation: "Nothing in this cluster gives addresses to Services of that type.",
        remedy: "install one, or use ClusterIP with a route or a tunnel",
    },
    Cause {
        id: "service-selects-nothing",
        title: "a Service selects no pod",
        explanation: "Its selector does not fit the labels of any pod. Traefik answers 404 for \
                      its hosts, the tunnel 502, and names inside the cluster refuse.",
        remedy: "make `spec.selector` the labels of the pod template",
    },
    Cause {
        id: "endpoints-not-ready",
        title: "no endpoint of a Service serves",
        explanation: "Its pods are there and not ready, or not made; the Service is right.",
        remedy: "look at `kubernetes.pods`",
    },
    Cause {
        id: "service-port-unresolved",
        title: "a Service names a port that its pods do not have",
        explanation: "`targetPort` is a name or number that no container has.",
        remedy: "make `targetPort` the container's port",
    },
    Cause {
        id: "route-without-endpoints",
        title: "a route leads to a Service without endpoints",
        explanation: "The ingress takes the route out of service and answers with a page of its \
                      own, 404 with Traefik.",
        remedy: "look at `kubernetes.endpoints`: the route is right",
    },
    Cause {
        id: "tls-secret-missing",
        title: "the Secret of a route's certificate is not there",
        explanation: "Traefik serves a certificate of its own making in its place.",
        remedy: "look at `kubernetes.certificates`",
    },
    Cause {
        id: "tunnel-service-missing",
        title: "the tunnel found no Service of that name",
        explanation: "The operator publishes `http_status:404` in the place of a Service that \
                      it does not find; people get an empty 404.",
        remedy: "correct `subjects[].name` of the TunnelBinding",
    },
    Cause {
        id: "tunnel-not-taken-up",
        title: "the operator has not published a TunnelBinding",
        explanation: "It does not run, refuses, or has not come to it.",
        remedy: "`kubectl -n app-matrix describe tunnelbinding NAME`; see \
                 `kubernetes.operators`",
    },
    Cause {
        id: "tunnel-missing",
        title: "the tunnel of a TunnelBinding does not exist",
        explanation: "Nothing connects the hosts to the cluster.",
        remedy: "correct `tunnelRef`, or create the Tunnel",
    },
    Cause {
        id: "certificate-issuer-missing",
        title: "the issuer of a Certificate does not exist",
        explanation: "cert-manager waits for an Issuer or ClusterIssuer of that name, and no \
                      certificate is made.",
        remedy: "create it, or correct `issuerRef`",
    },
    Cause {
        id: "certificate-issuer-broken",
        title: "the issuer of a Certificate is not ready",
        explanation: "Its account, its credentials or its authority do not work.",
        remedy: "`kubectl describe clusterissuer NAME`",
    },
    Cause {
        id: "certificate-not-issued",
        title: "cert-manager has not issued a Certificate",
        explanation: "The request failed or waits; after each failure it waits longer.",
        remedy: "the finding has the request's words and the time of the next try; `cmctl renew \
                 NAME` does not wait",
    },
    Cause {
        id: "certificate-renewal-overdue",
        title: "a certificate is not renewed",
        explanation: "The time for it has passed and nothing is under way: cert-manager is not \
                      running, or not looking.",
        remedy: "see `kubernetes.operators`; restart cert-manager",
    },
    Cause {
        id: "sealed-secret-not-decrypted",
        title: "a SealedSecret cannot be decrypted",
        explanation: "It is sealed for its name and namespace and for one controller's key; one \
                      of them is another here.",
        remedy: "seal it again: `kubeseal --controller-namespace flux-system -n app-matrix`",
    },
    Cause {
        id: "sealed-secrets-key-lost",
        title: "the controller cannot decrypt any SealedSecret",
        explanation: "Its keys are not those that they were sealed with, as after a cluster was \
                      built anew.",
        remedy: "restore the controller's keys from their backup, or seal everything again",
    },
    Cause {
        id: "sealed-secret-unmanaged",
        title: "a Secret was there before its SealedSecret",
        explanation: "The controller leaves what it did not make as it is, so the old values \
                      stay.",
        remedy: "annotate the Secret `sealedsecrets.bitnami.com/managed: \"true\"`, or delete \
                 it",
    },
    Cause {
        id: "sealed-secret-not-seen",
        title: "no controller has looked at a SealedSecret",
        explanation: "It does not run, or watches other namespaces.",
        remedy: "look at the controller in flux-system",
    },
    Cause {
        id: "sealed-secret-refused",
        title: "a SealedSecret is not unsealed",
        explanation: "The controller says why.",
        remedy: "the finding has its words",
    },
    Cause {
        id: "database-cluster-broken",
        title: "CloudNativePG cannot go on",
        explanation: "Its cluster is in a state that stays until somebody does something.",
        remedy: "`kubectl cnpg -n app-matrix status matrix-db`",
    },
    Cause {
        id: "database-cluster-degraded",
        title: "the database cluster lacks instances",
        explanation: "Instances are not ready, or the primary is being changed.",
        remedy: "`kubectl cnpg -n app-matrix status matrix-db`",
    },
    Cause {
        id: "database-cluster-stopped",
        title: "the database cluster was stopped on purpose",
        explanation: "An annotation hibernates it or fences its instances.",
        remedy: "take `cnpg.io/hibernation` or `cnpg.io/fencedInstances` away",
    },
    Cause {
        id: "database-disk-full",
        title: "the database's volume is full",
        explanation: "PostgreSQL stops. Often the archive of the log fails, and the log is \
                      kept.",
        remedy: "make `spec.storage.size` larger; mend the archive first if that fails",
    },
    Cause {
        id: "database-instances-not-reached",
        title: "the operator cannot ask the database's instances",
        explanation: "A NetworkPolicy without the operator's namespace on ports 8000 and 5432 \
                      looks like this.",
        remedy: "allow ingress from the operator's namespace",
    },
    Cause {
        id: "database-archive-failing",
        title: "the database's log is not archived",
        explanation: "Since then nothing can be restored, and the log fills the volume.",
        remedy: "look at the credentials and the address of the object store",
    },
    Cause {
        id: "database-backup-failed",
        title: "the database is not backed up",
        explanation: "The last backup failed or is too old.",
        remedy: "`kubectl -n app-matrix describe backup NAME`",
    },
    Cause {
        id: "database-backup-absent",
        title: "nothing backs the database up",
        explanation: "A lost volume is the end of every account and room.",
        remedy: "add a ScheduledBackup, or a CronJob with `pg_dump`",
    },
    Cause {
        id: "network-policy-blocks",
        title: "a NetworkPolicy cuts what the stack needs",
        explanation: "What no policy allows is swallowed: connections time out, and nothing \
                      refuses them.",
        remedy: "allow the flow that is named, by namespace and pod labels",
    },
    Cause {
        id: "jvb-dns-policy",
        title: "the bridge cannot resolve Service names",
        explanation: "On the host network `ClusterFirst` means the node's own resolver, which \
                      does not know Services: the bridge does not find Prosody.",
        remedy: "set `dnsPolicy: ClusterFirstWithHostNet`",
    },
    Cause {
        id: "bridge-on-another-node",
        title: "the bridge runs on another node than it says",
        explanation: "It advertises the address of a node where it does not run: sound and \
                      picture go nowhere.",
        remedy: "pin it with `nodeSelector`, or correct `JVB_ADVERTISE_IPS`",
    },
    Cause {
        id: "operator-down",
        title: "an operator does not run",
        explanation: "What it looks after keeps its last status and is not renewed, moved or \
                      mended.",
        remedy: "`kubectl -n NAMESPACE rollout restart deploy NAME`",
    },
    Cause {
        id: "operator-stale",
        title: "an operator does not renew its lease",
        explanation: "It hangs, or has gone without a word: objects keep their last good \
                      status.",
        remedy: "restart it",
    },
    Cause {
        id: "webhook-without-endpoints",
        title: "a webhook has no endpoint",
        explanation: "The API server asks it before each change and refuses the change without \
                      an answer.",
        remedy: "start the operator that serves it",
    },
    Cause {
        id: "cronjob-failing",
        title: "a CronJob does not come to a good end",
        explanation: "Its last run failed, or it never ended well.",
        remedy: "`kubectl -n app-matrix logs job/NAME`",
    },
    Cause {
        id: "cronjob-suspended",
        title: "a CronJob is suspended",
        explanation: "It does not run until `suspend` is taken away.",
        remedy: "`kubectl -n app-matrix patch cronjob NAME -p '{\"spec\":{\"suspend\":false}}'`",
    },
    Cause {
        id: "cluster-dns-broken",
        title: "the cluster's DNS does not know its Services",
        explanation: "Everything that looks for another part by its name fails.",
        remedy: "look at CoreDNS in kube-system, and at NetworkPolicies that limit egress",
    },
    Cause {
        id: "signing-key-unreadable",
        title: "Synapse cannot read its signing key",
        explanation: "The file is not there, is a folder, or may not be read: a `subPath` that \
                      is not the Secret's key makes a folder.",
        remedy: "mount the Secret's key by its own name, and let user 991 read it",
    },
    Cause {
        id: "homeserver-configuration-broken",
        title: "Synapse cannot use its configuration",
        explanation: "homeserver.yaml is no YAML, or holds what Synapse refuses; it ends at \
                      once.",
        remedy: "the finding has its words; correct the ConfigMap and restart",
    },
    Cause {
        id: "xmpp-password-wrong",
        title: "a part of Jitsi has the wrong password",
        explanation: "Prosody registers the accounts of the focus and the bridges when it \
                      starts. After a change of the Secret those that were not restarted keep \
                      the old password.",
        remedy: "restart Prosody, then Jicofo and the bridges",
    },
    Cause {
        id: "xmpp-server-not-found",
        title: "a part of Jitsi does not find Prosody",
        explanation: "The name in `XMPP_SERVER` does not resolve where that part runs.",
        remedy: "set `XMPP_SERVER` to the Service in full; on the host network `dnsPolicy: \
                 ClusterFirstWithHostNet`",
    },
    Cause {
        id: "service-link-variable",
        title: "a variable of a Service link is taken for configuration",
        explanation: "Kubernetes gives each container variables for each Service: a Service \
                      `jvb` makes `JVB_PORT=tcp://…`, which the bridge takes for its port.",
        remedy: "set `enableServiceLinks: false`, or write `JVB_PORT` down",
    },
];
