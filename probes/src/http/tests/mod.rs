//! The instrument against servers on loopback, good, bad and real.

mod connections;
mod helpers;
mod hostile;
mod nginx;
mod requests;
mod uploads;
