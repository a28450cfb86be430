//! From all verdicts to ranked root causes.
