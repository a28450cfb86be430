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
        id: "manifest-not-listed",
        title: "a manifest lies beside the kustomization and is not in it",
        explanation: "A kustomization brings in what it lists and nothing else. A file that only \
            lies there is never applied, and nobody says so.",
        remedy: "List it under `resources`, or take it out of the folder.",
    },
    Cause {
        id: "reference-not-renamed",
        title: "a name was changed, and what refers to it was not",
        explanation: "`namePrefix`, `nameSuffix` and the hashes of generators change the names of \
            all objects. Kustomize changes references with them in Kubernetes' own kinds; in \
            those of operators it does not know which fields are names.",
        remedy: "Name the fields in a file under `configurations`, as `nameReference`, or do \
            without the prefix: namespaces tell deployments apart as well.",
    },
    Cause {
        id: "selector-label-unfit",
        title: "a label was added to selectors that cannot bear it",
        explanation: "`commonLabels` and `includeSelectors` write into the selectors too. Those of \
            a Deployment can never be changed again, and those that mean pods of an operator \
            mean none any more, for its pods do not get the label.",
        remedy: "Use `labels` without `includeSelectors`, with `includeTemplates` where the pods \
            should have the label.",
    },
    Cause {
        id: "patch-without-object",
        title: "a patch changes nothing",
        explanation: "No object fits the target of the patch. Kustomize takes that for what was \
            meant, and what the patch should change stays as it is.",
        remedy: "Mend the target: kind, name (as it is before prefixes) and namespace have to fit.",
    },
    Cause {
        id: "field-unknown",
        title: "an object has a field that its kind does not have",
        explanation: "The API server knows no such field. kubectl and Flux refuse the object for \
            it; whatever applies it without looking loses the field, and with it what it says.",
        remedy: "Mend the name of the field, or where it stands.",
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
