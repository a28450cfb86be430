//! The `jitsi` family: see each file's own page.
