//! Replicas as local processes.
