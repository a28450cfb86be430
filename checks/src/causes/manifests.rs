//! Causes in how manifests are written, whatever they deploy.

use crate::Cause;

/// The causes.
pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "manifest-broken",
        title: "a manifest cannot be read by anybody",
        explanation: "The file is not YAML, not UTF-8, or its kustomization names what is not \
            there. `kubectl apply` refuses it, and what it should have deployed stays as it was.",
        remedy: "Mend the named line.",
    },
    Cause {
        id: "manifest-not-read",
        title: "a manifest was not read",
        explanation: "Something has to be rendered first, or is more than is read. What it would \
            deploy is not known, so nothing is said about it.",
        remedy: "Render it first: `helm template …` or `kubectl kustomize …`, and give the output \
            to `mxdoctor lint -`.",
    },
    Cause {
        id: "suppression-wrong",
        title: "a suppression in a manifest is wrong",
        explanation: "A comment `# mxdoctor: allow …` hides nothing, names no rule, or says no \
            reason. The next reader cannot tell whether it still matters.",
        remedy: "Take the comment out, or write `# mxdoctor: allow RULE reason`.",
    },
    Cause {
        id: "manifest-in-another-namespace",
        title: "an object is not in the namespace where it is looked for",
        explanation: "Kubernetes looks for ConfigMaps, Secrets and Services in the namespace of \
            the pod that needs them. An object that lands elsewhere is as good as absent, and a \
            full name that keeps an old namespace leads to somebody else's Service.",
        remedy: "Say the same namespace everywhere, once, in the kustomization.",
    },
    Cause {
        id: "configuration-not-refreshed",
        title: "a changed configuration does not reach the running pod",
        explanation: "What is mounted by `subPath` or read as a variable is read when the pod \
            starts. What was applied later is not what runs.",
        remedy: "Tie the pod template to the configuration: a generator's name with its hash, or a \
            checksum annotation. Until then: `kubectl rollout restart`.",
    },
    Cause {
        id: "configuration-not-filled-in",
        title: "a placeholder was deployed",
        explanation: "A value of a template was never replaced by one's own. The software takes it \
            as it is written.",
        remedy: "Fill in the value at the named line.",
    },
    Cause {
        id: "api-version-gone",
        title: "an object is of an API version that nobody serves any more",
        explanation: "The API server or the controller dropped the version some releases ago.",
        remedy: "Use the version that took its place, in the form that it asks for.",
    },
];
