//! Checks, run against servers on the loopback interface.

mod app;
mod canary;
mod database;
mod fed;
mod lint;
mod parts;
mod stack;
mod turn;
