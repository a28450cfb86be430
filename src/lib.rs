//! mxdoctor.
