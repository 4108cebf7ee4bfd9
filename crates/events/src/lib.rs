//! Events: what one is (CloudEvents 1.0), and for whom it is.
//!
//! An [`Event`] is read from JSON and checked once. An [`Index`] holds who waits for what (steps of runs,
//! triggers) by type and by equality tests of their conditions, so that an event that nobody waits for costs a
//! look-up or two, however many wait for others. It gives candidates; whoever waits has the last word.
//!
//! This crate must never know: stores, sockets, clocks, expressions, runs.
//!
//! Start reading at [`Event`], then [`Index`].

mod event;
mod index;

pub use event::{ATTRIBUTE_BYTES_MAX, Draft, EXTENSIONS_MAX, Event};
pub use index::{Index, Interest};
