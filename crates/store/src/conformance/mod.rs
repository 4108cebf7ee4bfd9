//! The behaviours that any store must show, each a test. Run them with [`conformance!`](crate::conformance!).
