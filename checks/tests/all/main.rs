//! Checks, run against servers on the loopback interface.

mod app;
mod database;
mod fed;
mod parts;
mod stack;
mod turn;
