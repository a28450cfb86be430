//! The `vantage` family: see each file's own page.
