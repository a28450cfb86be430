//! Requests over HTTP/1.1 and HTTP/2, every phase timed, every hop kept, every body bounded.

mod ask;
mod body;
mod exchange;
mod link;
mod open;
mod outgoing;
mod redirect;
#[cfg(test)]
mod tests;
mod wire;

pub use exchange::{Exchange, Filler, HttpError, Request, Response, Timings, Version};

pub(crate) use link::Link;
pub(crate) use open::{Origin, Pool};
pub(crate) use wire::authority;
