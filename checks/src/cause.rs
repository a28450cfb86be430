//! Named root causes, independent of the check that saw them.

/// A root cause with its explanation and remedy.
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    /// A public interface, like check ids.
    pub id: &'static str,
    /// One line for a person.
    pub title: &'static str,
    /// What happens and why, in Markdown.
    pub explanation: &'static str,
    /// What to do, in the words of the reference deployment where the reader's own objects are not
    /// known.
    pub remedy: &'static str,
}

/// The cause of that id.
pub fn cause(id: &str) -> Option<&'static Cause> {
    all().find(|cause| cause.id == id)
}

/// Every cause, by family.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    crate::causes::TABLES.iter().copied().flatten()
}
