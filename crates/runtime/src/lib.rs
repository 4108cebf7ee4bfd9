//! The contract of a place where replicas live.
