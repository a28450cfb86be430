//! mxdoctor as its users meet it: the command line, the registry, the documents.

mod cli;
mod demo;
mod docs;
mod hostile;
mod lint;
mod registry;
mod runs;
