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
];
