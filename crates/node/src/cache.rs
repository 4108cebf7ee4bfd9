//! Looks for earlier results of calls: in a thread of its own, so that neither runs nor commits wait for a disk.

use crate::{
    clock::Clock,
    sequencer::{Inbox, Message},
};
use consort_engine::{Hit, Miss, Recalled, flights::FlightKey};
use consort_store::{CachedResult, Error, Reader};
use consort_types::{AttemptToken, Timestamp};
use std::sync::mpsc;

/// A question for an earlier result.
#[derive(Debug)]
pub struct Lookup {
    /// Of which call.
    pub key: FlightKey,
    /// Of which revision of the service.
    pub revision: u64,
    /// Who asks.
    pub token: AttemptToken,
}

/// Answers until the sender is gone.
pub fn run(lookups: &mpsc::Receiver<Lookup>, reader: &dyn Reader, inbox: &Inbox, clock: &dyn Clock) {
    while let Ok(lookup) = lookups.recv() {
        let found = look(reader, &lookup, clock.now()).unwrap_or_else(|error| {
            // A cache that cannot be read costs a call, not a run.
            tracing::warn!(%error, "an earlier result cannot be read");
            Recalled::Miss(Miss::Unreadable)
        });
        inbox.send(Message::Looked(lookup.key, lookup.token, found));
    }
}

fn look(reader: &dyn Reader, lookup: &Lookup, now: Timestamp) -> Result<Recalled, Error> {
    let (namespace, key) = (lookup.key.namespace.as_str(), lookup.key.key);
    Ok(match reader.cached(namespace, key, lookup.revision)? {
        Some(CachedResult { run, step, at, expires_at, output, .. }) if expires_at > now => {
            Recalled::Hit(Box::new(Hit { run, step, at, expires_at, output }))
        }
        Some(_) => Recalled::Miss(Miss::Expired),
        None if reader.is_cached(namespace, key)? => Recalled::Miss(Miss::NewRevision),
        None => Recalled::Miss(Miss::NoEntry),
    })
}
