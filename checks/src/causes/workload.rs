//! Causes in how workloads are run, whatever they run.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "image-not-pinned",
        title: "an image's tag names no release",
        explanation: "`latest`, `stable` or no tag at all is whatever was published last. Each node \
            keeps what it pulled first, and the next restart may be an upgrade.",
        remedy: "Name the release in the tag, or the image by its digest.",
    },
    Cause {
        id: "registry-asked-at-each-start",
        title: "a pod cannot start without its registry",
        explanation: "With `imagePullPolicy: Always` the registry is asked even for what the node \
            has. While it limits the node's address or is away, no pod is started again.",
        remedy: "Set `imagePullPolicy: IfNotPresent` for tags of one release.",
    },
    Cause {
        id: "resources-unset",
        title: "a container does not say what it needs",
        explanation: "Without requests the scheduler puts too much on a node, and the kubelet \
            evicts first what asked for nothing; without a memory limit one program takes what all \
            others need.",
        remedy: "Set `resources.requests.cpu`, `resources.requests.memory` and \
            `resources.limits.memory`.",
    },
    Cause {
        id: "readiness-not-asked",
        title: "nothing asks a program whether it is ready",
        explanation: "Its Service sends requests from the moment when its process runs.",
        remedy: "Add a `readinessProbe` that asks what people ask.",
    },
    Cause {
        id: "probe-kills",
        title: "a probe kills what only waits",
        explanation: "A liveness probe that fails restarts the container. During a schema \
            migration, or while the database or Prosody is away, that helps nobody and begins the \
            wait anew.",
        remedy: "Let liveness ask what only a new start mends (`/health` of Synapse), and give a \
            `startupProbe` the time that a migration takes.",
    },
    Cause {
        id: "probe-impatient",
        title: "a liveness probe is as impatient as readiness",
        explanation: "A busy program is restarted when it should only get no more requests.",
        remedy: "Give liveness more time and more tries than readiness.",
    },
    Cause {
        id: "container-rights-wide",
        title: "a container has more rights than its program needs",
        explanation: "Whoever breaks into the program has them as well.",
        remedy: "Set `allowPrivilegeEscalation: false` and `seccompProfile: {type: \
            RuntimeDefault}`; where the image permits it `runAsNonRoot: true` and `capabilities: \
            {drop: [ALL]}`.",
    },
    Cause {
        id: "token-mounted",
        title: "a pod has a token that it never uses",
        explanation: "Kubernetes gives each pod a token for the API server unless it is told not \
            to. Whoever breaks into the pod can use it.",
        remedy: "Set `automountServiceAccountToken: false` in the pod template.",
    },
    Cause {
        id: "workload-selector-wrong",
        title: "a workload does not select its own pods",
        explanation: "The API server refuses an object whose selector its own template does not \
            satisfy. What was deployed before stays.",
        remedy: "Say the same labels in `spec.selector.matchLabels` and in the template. A selector \
            cannot be changed later: delete the workload and apply it again.",
    },
    Cause {
        id: "shutdown-cut-short",
        title: "a program is killed before it has ended",
        explanation: "30 s are the default. A bridge with conferences and Synapse with work in \
            memory need more.",
        remedy: "Set `terminationGracePeriodSeconds` to 60 or more.",
    },
    Cause {
        id: "variable-given-twice",
        title: "a variable is given twice",
        explanation: "The last one wins, until `kubectl apply` puts the list together anew.",
        remedy: "Take one of the two out.",
    },
    Cause {
        id: "variable-not-expanded",
        title: "a variable uses one that comes after it",
        explanation: "The kubelet replaces `$(NAME)` by what stands above it in the list. Anything \
            else stays as it is written.",
        remedy: "Move the variable that is used above the one that uses it.",
    },
    Cause {
        id: "drain-blocked",
        title: "a disruption budget lets no pod go",
        explanation: "A node with the pod on it can never be drained, so neither upgraded.",
        remedy: "Set `maxUnavailable: 1` in place of `minAvailable`.",
    },
    Cause {
        id: "rollout-deadline-short",
        title: "a rollout has failed before its pods can have begun",
        explanation: "The progress deadline is shorter than what the pods may take to begin. What \
            waits for the rollout reports a failure, or goes back in the middle of a migration.",
        remedy: "Set `progressDeadlineSeconds` above what the startup probe allows.",
    },
];
