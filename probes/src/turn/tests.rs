//! Against a real coturn, and against servers that do not behave.

mod coturn;
mod hostile;
