//! The loops: sequencer, committer, dispatcher, timers, fleet, retention.
