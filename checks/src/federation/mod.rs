//! The `federation` family: see each file's own page.
