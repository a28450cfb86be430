//! Observations that checks share.
