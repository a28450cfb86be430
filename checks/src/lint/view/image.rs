//! An image's name.

/// `docker.io/jitsi/web:stable-10741@sha256:…` in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    /// All of it, as it is written.
    pub text: &'a str,
    /// The repository without its registry's host: `jitsi/web`, `library/postgres` as `postgres`.
    pub repository: &'a str,
    /// The registry's host, where one is named.
    pub registry: Option<&'a str>,
    /// The tag, where one is given.
    pub tag: Option<&'a str>,
    /// The digest, where one is given.
    pub digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    /// The parts of an image's name.
    pub fn new(text: &'a str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash is a registry's port.
        let tag_at = name.rfind(':').filter(|colon| !name[*colon..].contains('/'));
        let (name, tag) = match tag_at {
            Some(colon) => (&name[..colon], Some(&name[colon + 1..])),
            None => (name, None),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => {
                (Some(host), rest)
            }
            _ => (None, name),
        };
        let repository = repository.strip_prefix("library/").unwrap_or(repository);
        Self { text, repository, registry, tag, digest }
    }

    /// The last part of the repository: `web`.
    pub fn base(&self) -> &'a str {
        self.repository.rsplit('/').next().unwrap_or(self.repository)
    }

    /// The number in a tag such as `v1.12.10`, `16.10-bookworm` or `stable-10741`, part by part.
    pub fn version(&self) -> Option<Vec<u64>> {
        let tag = self.tag?;
        let start = tag.find(|c: char| c.is_ascii_digit())?;
        let digits = &tag[start..];
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
        digits[..end].trim_end_matches('.').split('.').map(|part| part.parse().ok()).collect()
    }
}
