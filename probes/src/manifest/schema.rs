//! What Kubernetes' own kinds are made of: their fields, and how their lists are merged.
//!
//! The table beside this file is written from the API description of Kubernetes by
//! `cargo xtask schema`. Alpha and beta kinds, custom kinds and what controllers write (`status`)
//! are not in it.

use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("schema.txt");

/// A map of fields.
#[derive(Debug)]
pub struct Type {
    fields: HashMap<&'static str, Field>,
}

/// A field of a [`Type`].
#[derive(Debug)]
pub struct Field {
    /// How the type below it stands there.
    pub shape: Shape,
    below: Option<&'static str>,
    /// For lists that are merged: the keys by which their items are the same; none for texts, which
    /// are the same as a whole.
    pub merge: Option<Vec<&'static str>>,
}

/// How a type stands in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Nothing is known below: a scalar, a list of them, or any map.
    Opaque,
    /// One.
    One,
    /// A list.
    List,
    /// A map with any keys.
    Map,
}

struct Table {
    kinds: HashMap<&'static str, &'static str>,
    types: HashMap<&'static str, Type>,
}

static KNOWN: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { kinds: HashMap::new(), types: HashMap::new() };
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        match name.strip_prefix('@') {
            Some(kind) => {
                table.kinds.insert(kind, words.next().unwrap_or_default());
            }
            None => {
                table.types.insert(name, Type { fields: words.map(field).collect() });
            }
        }
    }
    table
});

fn field(word: &'static str) -> (&'static str, Field) {
    let (word, keys) = match word.split_once('/') {
        Some((word, keys)) => (word, Some(keys)),
        None => (word, None),
    };
    let merge = keys.map(|keys| keys.split(',').filter(|key| !key.is_empty()).collect());
    let Some((name, below)) = word.split_once(':') else {
        return (word, Field { shape: Shape::Opaque, below: None, merge });
    };
    let (shape, below) = match (below.strip_prefix('['), below.strip_prefix('{')) {
        (Some(below), _) => (Shape::List, below),
        (_, Some(below)) => (Shape::Map, below),
        (None, None) => (Shape::One, below),
    };
    (name, Field { shape, below: Some(below), merge })
}

/// The type of a kind of Kubernetes: `apps/v1`, `Deployment`.
pub fn kind(api_version: &str, kind: &str) -> Option<&'static Type> {
    let name = KNOWN.kinds.get(format!("{api_version}/{kind}").as_str())?;
    KNOWN.types.get(name)
}

impl Type {
    /// A field, where there is one of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name)
    }

    /// The names of the fields, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.keys().copied()
    }
}

impl Field {
    /// The type below, as [`shape`](Self::shape) says it.
    pub fn below(&self) -> Option<&'static Type> {
        KNOWN.types.get(self.below?)
    }
}

#[cfg(test)]
mod tests {
    use super::{Shape, kind};

    #[test]
    fn the_table_knows_fields_and_keys() {
        let deployment = kind("apps/v1", "Deployment").expect("a Deployment");
        let spec = deployment.field("spec").and_then(|field| field.below()).expect("its spec");
        let template = spec.field("template").and_then(|field| field.below()).expect("a template");
        let pod = template.field("spec").and_then(|field| field.below()).expect("a pod");
        let containers = pod.field("containers").expect("containers");
        assert_eq!(containers.shape, Shape::List);
        assert_eq!(containers.merge, Some(vec!["name"]));
        let ports = containers.below().and_then(|it| it.field("ports")).expect("ports");
        assert_eq!(ports.merge, Some(vec!["containerPort", "protocol"]));
        let metadata = deployment.field("metadata").and_then(|it| it.below()).expect("metadata");
        assert_eq!(metadata.field("finalizers").expect("texts").merge, Some(vec![]));
        assert!(pod.field("container").is_none());
        assert!(kind("apps/v1beta1", "Deployment").is_none());
    }
}
