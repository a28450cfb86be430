//! The `dns` family: see each file's own page.
