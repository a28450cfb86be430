//! The `database` family: see each file's own page.
