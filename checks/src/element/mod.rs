//! The `element` family: see each file's own page.
