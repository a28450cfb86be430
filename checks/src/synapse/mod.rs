//! The `synapse` family: see each file's own page.
