//! The `ingress` family: see each file's own page.
