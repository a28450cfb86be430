//! LINT: what is wrong with the files themselves. These rules do not look at a stack; what reads
//! the files reports under them.

use mxdoctor_probes::manifest::files::{Trouble, TroubleKind};

use super::{Found, Problem, Rule, Stack};
use crate::rule;

/// The rules about reading, in the order of the pages.
pub const RULES: &[&Rule] =
    &[&UNUSED, &UNREASONED, &UNKNOWN, &BROKEN, &TEMPLATE, &FEATURE, &KUSTOMIZATION, &LIMIT, &TWICE];

rule! {
    /// A comment `# mxdoctor: allow RULE reason` that hides no finding is a leftover: what it
    /// allowed was mended, or it stands at the wrong line. It would hide the next mistake there.
    ///
    /// A suppression holds for the line of the comment, or for the next line when it stands alone,
    /// with everything below that key; at the top of a file it holds for the whole file, after a
    /// `---` for that document. Inside JSON nothing can be said: it stands above the key of the
    /// block.
    UNUSED = "LINT-01" Warning: "every suppression hides something"
    breaks "nothing now; it would hide the next mistake at that place"
    remedy "take the comment out"
    cause "suppression-wrong"
    check ""
    look_in_files nothing
}

rule! {
    /// An annotation of the object, `mxdoctor/allow-SYN-01: rendered by the pipeline`, allows as a
    /// comment does, and holds in a live namespace too, which comments never reach.
    ///
    /// A suppression says why: `# mxdoctor: allow SYN-01 rendered by the pipeline`. Without a
    /// reason nobody can tell later whether it still holds, so it hides nothing.
    UNREASONED = "LINT-02" Warning: "every suppression says its reason"
    breaks "nothing; the suppression is not taken into account"
    remedy "write the reason behind the rule: `# mxdoctor: allow RULE reason`"
    cause "suppression-wrong"
    check ""
    look_in_files nothing
}

rule! {
    /// A suppression names rules that exist; `mxdoctor list rules` shows them all.
    UNKNOWN = "LINT-03" Warning: "every suppression names a rule"
    breaks "nothing; the suppression is not taken into account"
    remedy "name a rule of `mxdoctor list rules`"
    cause "suppression-wrong"
    check ""
    look_in_files nothing
}

rule! {
    /// Every file can be read as YAML in UTF-8, and every object in it says its `apiVersion` and
    /// `kind`. `kubectl apply` refuses anything else, except for bytes that are not UTF-8: in their
    /// place it puts U+FFFD, and Kustomize refuses the file.
    ///
    /// Source: YAML 1.2, and `sigs.k8s.io/yaml`, which Kubernetes reads it with.
    BROKEN = "LINT-04" Error: "every file is readable YAML"
    breaks "the file is refused, and nothing of it is deployed"
    remedy "mend the named line"
    cause "manifest-broken"
    check ""
    look_in_files nothing
}

rule! {
    /// A template of Helm is no manifest before Helm has rendered it, so nothing is said about
    /// what it would deploy.
    TEMPLATE = "LINT-05" Unmeasured: "templates are rendered before they are looked at"
    breaks "not known: the template was not looked at"
    remedy "render it first: `helm template NAME CHART | mxdoctor lint -`"
    cause "manifest-not-read"
    check ""
    look_in_files nothing
}

rule! {
    /// A kustomization uses something that is not read here (a remote base, a generator that
    /// is a program, a Helm chart), and what it would add is not known. With `kubectl` or
    /// `kustomize` on the PATH that one is asked instead.
    FEATURE = "LINT-06" Unmeasured: "a kustomization uses what is read"
    breaks "not known: what it adds was not looked at"
    remedy "build it first: `kubectl kustomize FOLDER | mxdoctor lint -`"
    cause "manifest-not-read"
    check ""
    look_in_files nothing
}

rule! {
    /// A kustomization can be built: what it names is there, no base is its own base, every patch
    /// finds its object, nothing is brought in twice. `kubectl apply -k` and Flux refuse it
    /// otherwise, and the whole deployment stays as it was.
    ///
    /// Two objects of one kind and name are KUS-09, and a patch whose `target` fits nothing, which
    /// builds all the same, is KUS-10.
    ///
    /// Source: `sigs.k8s.io/kustomize/api`, which they all build with.
    KUSTOMIZATION = "LINT-07" Error: "every kustomization can be built"
    breaks "kubectl apply -k refuses the whole folder: nothing of it is deployed"
    remedy "mend the named line of the kustomization"
    cause "manifest-broken"
    check ""
    look_in_files nothing
}

rule! {
    /// Files are read up to 16 MiB each (the API server takes objects of 3 MiB at most), up to 64
    /// MiB together, up to 10,000 of them and 20,000 objects; nesting up to 100 deep. What is beyond
    /// was not looked at; nor was what could not be opened, or is no file: pipes and devices in a
    /// folder.
    LIMIT = "LINT-08" Unmeasured: "the files can be read, and are no more than is read"
    breaks "not known: what could not be read was not looked at"
    remedy "give the folder of one deployment, readable for the one who runs this"
    cause "manifest-not-read"
    check ""
    look_in_files nothing
}

rule! {
    /// No key stands twice in one map of an object. Of two, `kubectl apply` sends the last one and
    /// says nothing: the lines above it are read by people and by nobody else. Kustomize refuses
    /// the whole folder.
    ///
    /// Source: `sigs.k8s.io/yaml`; YAML 1.2, section 3.2.1.3: keys are unique.
    TWICE = "LINT-09" Warning: "no key stands twice in one map"
    breaks "the last one counts and the first one is dropped in silence; Kustomize refuses the file"
    remedy "take one of the two out, or make them one"
    cause "manifest-broken"
    check ""
    look_in_files nothing
}

fn nothing(_: &Stack<'_>, _: &mut Found) {}

/// What reading came upon, as problems.
pub fn problems(troubles: &[Trouble]) -> Vec<Problem> {
    let all = troubles.iter().flat_map(|trouble| {
        let rule = match trouble.kind {
            TroubleKind::Broken => &BROKEN,
            TroubleKind::Twice => &TWICE,
            TroubleKind::Template => &TEMPLATE,
            TroubleKind::Feature => &FEATURE,
            TroubleKind::Kustomization => &KUSTOMIZATION,
            TroubleKind::Limit => &LIMIT,
        };
        let mut found = Found::new(rule);
        let problem = found.nowhere(trouble.place.clone(), trouble.why.clone());
        for (place, shows) in &trouble.also {
            problem.also_place(place, shows.clone());
        }
        found.into_problems()
    });
    all.collect()
}
