//! The versions that were written down, to be held against those that answer.

use super::Release;
use super::kubernetes::Cluster;
use crate::lint::Stack;
use crate::lint::view::Image;
use crate::{Cx, Fact, Unavailable};

/// Images whose tag is the version of what is in them.
const SYNAPSE: &[&str] = &["matrixdotorg/synapse", "element-hq/synapse"];
const ELEMENT: &[&str] = &["vectorim/element-web", "element-hq/element-web"];
const POSTGRES: &[&str] = &["cloudnative-pg/postgresql", "postgres"];

/// What `[expect]` of stack.toml says; else the tags of the images that the namespace's workloads
/// name, where it is looked at. Always to be had.
#[derive(Debug, Clone)]
pub struct Written;

/// Versions that were written down, each as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    /// Synapse's.
    pub synapse: Option<String>,
    /// Element Web's.
    pub element: Option<String>,
    /// PostgreSQL's.
    pub postgres: Option<String>,
}

impl Fact for Written {
    type Value = Versions;
    const OWNER: &'static str = "kubernetes.permissions";
    const TIMEOUT: std::time::Duration = Cluster::TIMEOUT;

    async fn observe(&self, cx: &Cx) -> Result<Versions, Unavailable> {
        let expect = &cx.target().expect;
        let given = Versions {
            synapse: expect.synapse_version.clone(),
            element: expect.element_version.clone(),
            postgres: expect.postgres_version.clone(),
        };
        if cx.target().kubernetes.is_none() {
            return Ok(given);
        }
        // Who may not look at the namespace knows nothing of its images, and that is all.
        let Ok(namespace) = cx.fact(Cluster).await else { return Ok(given) };
        let there = of(&Stack::new(&namespace.snapshot.inventory));
        Ok(Versions {
            synapse: given.synapse.or(there.synapse),
            element: given.element.or(there.element),
            postgres: given.postgres.or(there.postgres),
        })
    }
}

/// The tags in a stack. Several of one part that differ say nothing.
fn of(stack: &Stack<'_>) -> Versions {
    let synapse = stack.synapse.iter().filter_map(|part| part.workload?.1.image());
    let element = stack.element.iter().filter_map(|part| part.workload?.1.image());
    let clusters = stack.inventory.of_kind("Cluster");
    let postgres = clusters.filter_map(|it| it.node.str("spec.imageName")).map(Image::new);
    Versions {
        synapse: tag(synapse, SYNAPSE),
        element: tag(element, ELEMENT),
        postgres: tag(postgres, POSTGRES),
    }
}

fn tag<'a>(images: impl Iterator<Item = Image<'a>>, known: &[&str]) -> Option<String> {
    let mut tags = images.map(|image| {
        let tag = image.tag.filter(|_| known.contains(&image.repository))?;
        // `latest` and `stable` are no versions; `16.10-bookworm` is one with more behind it.
        let number = tag.trim_start_matches('v').split('-').next().unwrap_or_default();
        Release::parse(number).map(|_| number.to_owned())
    });
    let first = tags.next()??;
    tags.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{element, inventory, synapse};

    fn read(text: &str) -> Versions {
        of(&Stack::new(&inventory(text)))
    }

    #[test]
    fn tags_of_known_images_are_versions() {
        let all = synapse("server_name: a")
            + "---\n"
            + &element("{}")
            + "---\n\
             apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db}\n\
             spec: {imageName: 'ghcr.io/cloudnative-pg/postgresql:16.10-bookworm'}\n";
        let some = |text: &str| Some(text.to_owned());
        let found = read(&all);
        let wanted = Versions {
            synapse: some("1.147.0"),
            element: some("1.12.10"),
            postgres: some("16.10"),
        };
        assert_eq!(found, wanted);
        for other in ["matrixdotorg/synapse:latest", "example.org/our/synapse:7", "synapse"] {
            let text = synapse("server_name: a").replace("matrixdotorg/synapse:1.147.0", other);
            assert_eq!(read(&text).synapse, None, "{other}");
        }
    }
}
