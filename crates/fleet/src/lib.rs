//! Replicas: desired and observed to a plan, a pure function.
