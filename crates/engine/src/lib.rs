//! The state machine of one run, a pure function.
