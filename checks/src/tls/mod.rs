//! The `tls` family: see each file's own page.
