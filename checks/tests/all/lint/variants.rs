//! One mistake at a time: the reference tree with a text replaced, and the rules that speak then.

use std::collections::BTreeSet;

use super::{files, looked, told};

/// Texts of files of the reference tree, and what is to stand there.
type Edits = &'static [(&'static str, &'static str, &'static str)];

/// A mistake, and the rules that are to speak: the one that it is of, then its consequences.
struct Variant {
    edits: Edits,
    speak: &'static [&'static str],
}

const VARIANTS: &[&[Variant]] = &[];

#[test]
fn of_one_mistake_its_rule_speaks_and_no_other() {
    let reference = files("apps/base/matrix", 20);
    for variant in VARIANTS.iter().flat_map(|table| table.iter()) {
        let mut tree = reference.clone();
        for (name, from, to) in variant.edits {
            let (_, text) = tree.iter_mut().find(|(file, _)| file == name).expect(name);
            assert!(text.contains(from), "{name} has no {from:?}");
            *text = text.replace(from, to);
        }
        let problems = looked(&tree);
        let speak: BTreeSet<_> = problems.iter().map(|problem| problem.rule.id).collect();
        let wanted: BTreeSet<_> = variant.speak.iter().copied().collect();
        let told: Vec<_> = problems.iter().map(told).collect();
        assert_eq!(speak, wanted, "{:?}: {told:#?}", variant.edits);
    }
}
