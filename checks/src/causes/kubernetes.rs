//! Causes that an API server shows: workloads, pods, volumes and nodes.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "cluster-not-asked",
        title: "the API server cannot be asked",
        explanation: "The API server is not reached, does not answer in time, or the access to \
                      it is not configured. Nothing is known of the namespace.",
        remedy: "check `--kubeconfig`, `--kube-context` and `kubectl get --raw /version` with \
                 the same file",
    },
    Cause {
        id: "cluster-credentials-refused",
        title: "the API server does not accept our credentials",
        explanation: "The token or certificate of the access has ended or is of another \
                      cluster.",
        remedy: "renew the access: `kubectl auth whoami` with the same kubeconfig says who one \
                 is",
    },
    Cause {
        id: "cluster-permission-missing",
        title: "objects of the namespace may not be listed",
        explanation: "Without the permission a check cannot look, and is skipped.",
        remedy: "grant what `mxdoctor list rbac` prints; the finding has the missing rules",
    },
    Cause {
        id: "object-stuck-deleting",
        title: "an object is being deleted and does not go",
        explanation: "A finalizer holds it: the controller that should take it away is gone or \
                      refuses. Until then no new one of its name can be made.",
        remedy: "start the controller that the finalizer names; take the finalizer out only \
                 when what it guards is gone",
    },
    Cause {
        id: "status-not-observed",
        title: "a controller has not seen the last change",
        explanation: "The status is of an earlier generation of the object, so it says nothing \
                      of what is written now.",
        remedy: "wait a moment; if it stays, see whether the controller is alive",
    },
    Cause {
        id: "workload-scaled-to-zero",
        title: "a workload is scaled to 0",
        explanation: "Nothing of it runs. Its Service has no endpoints, the ingress answers 404 \
                      and the tunnel 502, which looks like a wrong route and is none.",
        remedy: "`kubectl -n app-matrix scale deploy/synapse --replicas=1`",
    },
    Cause {
        id: "workload-unavailable",
        title: "a workload lacks pods that serve",
        explanation: "Pods are there and not ready, or there are none; why is said by the pods \
                      themselves.",
        remedy: "look at `kubernetes.pods`",
    },
    Cause {
        id: "pods-refused",
        title: "the pods of a workload are refused",
        explanation: "The API server does not take the pods that the controller makes: a \
                      webhook, a missing account or a policy refuses them.",
        remedy: "the finding has the API server's words",
    },
    Cause {
        id: "pod-security-refuses",
        title: "Pod Security refuses the pods",
        explanation: "The namespace enforces a level that the pods do not keep. The bridge on \
                      the host network needs `privileged`.",
        remedy: "label the namespace `pod-security.kubernetes.io/enforce: privileged`, or move \
                 the bridge to a namespace of its own",
    },
    Cause {
        id: "quota-exceeded",
        title: "a quota keeps pods from being made",
        explanation: "The namespace's ResourceQuota is used up.",
        remedy: "raise the quota or take something away",
    },
    Cause {
        id: "quota-used-up",
        title: "a quota is used up",
        explanation: "The next pod or volume will be refused.",
        remedy: "raise the quota before the next rollout",
    },
    Cause {
        id: "rollout-paused",
        title: "a rollout is paused",
        explanation: "Changes to the workload do not arrive until it is resumed.",
        remedy: "`kubectl -n app-matrix rollout resume deploy/NAME`",
    },
    Cause {
        id: "rollout-stuck",
        title: "the last change of a workload is stuck",
        explanation: "The new pods do not become ready within the deadline. Where the old ones \
                      still serve, everything looks well and the change is not there.",
        remedy: "look at the new pods in `kubernetes.pods`; `kubectl rollout undo` goes back",
    },
    Cause {
        id: "rollout-deadlock",
        title: "the new pod waits for what the old one holds",
        explanation: "RollingUpdate starts the new pod before the old one ends. A port of the \
                      node, or a volume that one node has, cannot be held by both: they wait \
                      for each other.",
        remedy: "set `strategy: {type: Recreate}`",
    },
    Cause {
        id: "secret-key-missing",
        title: "a Secret lacks a key that is asked for",
        explanation: "The kubelet does not start a container whose variable or file names a key \
                      that is not there. Old pods keep serving until they are restarted.",
        remedy: "correct `secretKeyRef.key`, or add the key to the Secret: `kubectl -n \
                 app-matrix get secret NAME -o json | jq '.data|keys'`",
    },
    Cause {
        id: "secret-missing",
        title: "a Secret that is asked for is not there",
        explanation: "Pods that run keep what they have; none can be started anew.",
        remedy: "apply the Secret or SealedSecret again, and see whether its controller made it",
    },
    Cause {
        id: "secret-value-wrong",
        title: "the value of a Secret is not usable",
        explanation: "A value is empty, or has a line end that becomes part of the password.",
        remedy: "make it again with `printf %s` in place of `echo`",
    },
    Cause {
        id: "configmap-missing",
        title: "a ConfigMap that is asked for is not there",
        explanation: "The pod waits for it and does not start.",
        remedy: "apply it, or correct its name in the workload",
    },
    Cause {
        id: "configmap-key-missing",
        title: "a ConfigMap lacks a key that is asked for",
        explanation: "The container is not started.",
        remedy: "correct the key, or add it to the ConfigMap",
    },
    Cause {
        id: "image-not-pulled",
        title: "an image cannot be pulled",
        explanation: "The name or tag does not exist, the registry refuses, or is not reached. \
                      Old pods keep serving.",
        remedy: "correct the tag; see `imagePullSecrets` for a private registry",
    },
    Cause {
        id: "image-differs",
        title: "one tag is two programs",
        explanation: "The tag has moved: nodes pulled it at different times.",
        remedy: "name the image by a tag that does not move, or by digest",
    },
    Cause {
        id: "container-not-started",
        title: "a container cannot be started",
        explanation: "The container runtime refuses: a `subPath` that is not a key, a mount \
                      over a file, a user that does not exist, a program that is not there.",
        remedy: "the finding has the runtime's words",
    },
    Cause {
        id: "container-crashes",
        title: "a container ends as soon as it is started",
        explanation: "The program itself gives up. Its last lines say why.",
        remedy: "`kubectl -n app-matrix logs POD -c CONTAINER --previous`; `kubernetes.logs = \
                 true` shows them here",
    },
    Cause {
        id: "container-restarts",
        title: "a container was restarted lately",
        explanation: "It works now, and did not a while ago.",
        remedy: "`kubectl -n app-matrix logs POD -c CONTAINER --previous`",
    },
    Cause {
        id: "memory-limit-exceeded",
        title: "a container needs more memory than it may have",
        explanation: "The kernel ended it at its limit, or its heap is larger than the limit \
                      permits.",
        remedy: "raise `resources.limits.memory`; for Jitsi keep `VIDEOBRIDGE_MAX_MEMORY` and \
                 `JICOFO_MAX_MEMORY` well below it",
    },
    Cause {
        id: "pod-unschedulable",
        title: "a pod finds no node",
        explanation: "No node has the memory, the processors, the labels or the permission that \
                      it asks for.",
        remedy: "the finding has the scheduler's words",
    },
    Cause {
        id: "host-port-taken",
        title: "the port of the node is taken",
        explanation: "Two pods want the same port of one node: a second bridge, or a rollout \
                      that starts the new one first.",
        remedy: "`strategy: {type: Recreate}` and one bridge a node",
    },
    Cause {
        id: "volume-node-lost",
        title: "a volume is on a node that is not there",
        explanation: "The volume lives on one node, and that node is gone, cordoned or not \
                      ready.",
        remedy: "bring the node back; restore from the backup only if it is lost",
    },
    Cause {
        id: "volume-not-attached",
        title: "a volume is not attached",
        explanation: "Another node still has it, or the driver fails.",
        remedy: "end the pod that holds it; see `kubectl get volumeattachments`",
    },
    Cause {
        id: "volume-not-writable",
        title: "a program may not write to its volume",
        explanation: "The volume belongs to root, and the program runs as another user. Uploads \
                      fail while everything else works.",
        remedy: "set `securityContext.fsGroup: 991` on Synapse's pod",
    },
    Cause {
        id: "volume-full",
        title: "a volume is full",
        explanation: "Nothing can be written any more.",
        remedy: "make the claim larger, and find what fills it",
    },
    Cause {
        id: "volume-pending",
        title: "a claim has no volume",
        explanation: "Nothing provides one, or it waits for a pod.",
        remedy: "`kubectl -n app-matrix describe pvc NAME`",
    },
    Cause {
        id: "volume-lost",
        title: "a claim has lost its volume",
        explanation: "The volume that it was bound to does not exist any more.",
        remedy: "restore from the backup",
    },
    Cause {
        id: "volume-resize-failed",
        title: "a volume is not made larger",
        explanation: "The storage refuses the larger size.",
        remedy: "the finding has the driver's words",
    },
    Cause {
        id: "storage-class-missing",
        title: "the StorageClass does not exist",
        explanation: "A claim waits for ever for a class that nothing provides; the database \
                      and Synapse wait with it.",
        remedy: "create the StorageClass, or name one of `kubectl get storageclass`",
    },
    Cause {
        id: "pod-not-starting",
        title: "a pod has been starting for long",
        explanation: "Its images, its network or its volumes are not ready.",
        remedy: "`kubectl -n app-matrix describe pod NAME`",
    },
    Cause {
        id: "pod-not-ready",
        title: "a pod is not ready",
        explanation: "Its readiness probe fails, so its Services leave it out.",
        remedy: "the finding has the probe's words; see the log of the container",
    },
    Cause {
        id: "pod-evicted",
        title: "a pod has ended and is left over",
        explanation: "A node that was short of something put it out. It serves nothing, and \
                      another one was made in its place.",
        remedy: "find what the node was short of; delete the pod",
    },
    Cause {
        id: "node-not-ready",
        title: "a node of the stack is not ready",
        explanation: "Its pods do not answer, and volumes that live there are gone with it.",
        remedy: "`kubectl describe node NAME`",
    },
    Cause {
        id: "node-under-pressure",
        title: "a node of the stack is short of something",
        explanation: "It will put pods out.",
        remedy: "free what the finding names",
    },
    Cause {
        id: "warnings-repeated",
        title: "something warns again and again",
        explanation: "An event repeats; its text says what.",
        remedy: "read the text; other checks say what they make of it",
    },
];
