//! The storage contract, an in-memory store, the conformance suite.
