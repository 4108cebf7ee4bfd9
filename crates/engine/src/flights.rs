//! Flights: for each key of the cache one call at a time, over all runs.
//!
//! A state machine of its own, beside that of a run, without clock and I/O. Who asks with a key first looks
//! into the store, and makes the call when nothing is there; who asks meanwhile waits for that. When the call
//! gives a result, all of them have it. When it fails, or its run goes away, the next one looks.

use crate::{Hit, Miss, Reading, Recall, Recalled};
use consort_types::{AttemptToken, Digest, Name, RunId};
use std::collections::{HashMap, VecDeque};

/// What is flown: a call of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FlightKey {
    /// The namespace.
    pub namespace: Name,
    /// Equal for equal calls.
    pub key: Digest,
}

/// What must be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Look into the store for a result of a revision, and tell [`Flights::looked`].
    Look(FlightKey, Recall, u64),
    /// Tell the run.
    Answer(AttemptToken, Recalled),
    /// Another attempt makes an equal call first.
    Wait(AttemptToken),
}

/// All flights of a server.
#[derive(Debug, Default)]
pub struct Flights {
    flights: HashMap<FlightKey, Flight>,
    /// What the attempts of a run take part in.
    of_run: HashMap<RunId, Vec<(AttemptToken, FlightKey)>>,
}

#[derive(Debug)]
struct Flight {
    first: First,
    behind: VecDeque<Asker>,
}

/// Who asks, and for a result of which revision.
#[derive(Debug, Clone)]
struct Asker {
    recall: Recall,
    revision: u64,
}

#[derive(Debug)]
enum First {
    /// The store is asked.
    Looks(Asker),
    /// It makes the call.
    Calls(AttemptToken),
    /// Its result is on its way into the store.
    Landed(Landed),
}

#[derive(Debug)]
struct Landed {
    token: AttemptToken,
    revision: u64,
    hit: Hit,
}

impl Flights {
    /// Somebody asks, for a result of a revision.
    pub fn ask(&mut self, namespace: &Name, recall: Recall, revision: u64) -> Vec<Act> {
        let key = FlightKey { namespace: namespace.clone(), key: recall.key };
        let asker = Asker { recall, revision };
        self.takes_part(asker.recall.token, &key);
        let Some(flight) = self.flights.get_mut(&key) else {
            return self.begin(key, asker, VecDeque::new());
        };
        if let First::Landed(landed) = &flight.first
            && asker.takes(landed.revision)
        {
            let answer = Act::Answer(asker.recall.token, Recalled::Hit(Box::new(landed.hit.clone())));
            self.left(asker.recall.token);
            return vec![answer];
        }
        let wait = Act::Wait(asker.recall.token);
        flight.behind.push_back(asker);
        vec![wait]
    }

    /// An attempt was making its call when the server ended, and makes it again.
    pub fn claim(&mut self, namespace: &Name, key: Digest, token: AttemptToken) {
        let key = FlightKey { namespace: namespace.clone(), key };
        self.takes_part(token, &key);
        self.flights
            .entry(key)
            .or_insert_with(|| Flight { first: First::Calls(token), behind: VecDeque::new() });
    }

    /// The store was asked for an attempt.
    pub fn looked(&mut self, key: &FlightKey, token: AttemptToken, found: Recalled) -> Vec<Act> {
        let Some(flight) = self.flights.get_mut(key) else { return Vec::new() };
        let First::Looks(asker) = &flight.first else { return Vec::new() };
        if asker.recall.token != token {
            return Vec::new();
        }
        let revision = asker.revision;
        match found {
            Recalled::Miss(_) => {
                flight.first = First::Calls(token);
                vec![Act::Answer(token, found)]
            }
            Recalled::Hit(hit) => {
                self.left(token);
                let mut acts = vec![Act::Answer(token, Recalled::Hit(hit.clone()))];
                acts.extend(self.share(key, revision, &hit));
                acts.extend(self.next(key));
                acts
            }
        }
    }

    /// A call has given its result, which is on its way into the store.
    pub fn landed(&mut self, key: &FlightKey, token: AttemptToken, revision: u64, hit: &Hit) -> Vec<Act> {
        let Some(flight) = self.flights.get_mut(key) else { return Vec::new() };
        match &flight.first {
            First::Calls(calling) if *calling == token => {}
            _ => return Vec::new(),
        }
        flight.first = First::Landed(Landed { token, revision, hit: hit.clone() });
        self.left(token);
        self.share(key, revision, hit)
    }

    /// The result of an attempt is in the store.
    pub fn stored(&mut self, key: &FlightKey, token: AttemptToken) -> Vec<Act> {
        match self.flights.get(key).map(|flight| &flight.first) {
            Some(First::Landed(landed)) if landed.token == token => self.next(key),
            _ => Vec::new(),
        }
    }

    /// Attempts of a run that take part in a flight.
    pub fn of(&self, run: RunId) -> Vec<AttemptToken> {
        let tokens = self.of_run.get(&run).into_iter().flatten();
        tokens.map(|(token, _)| *token).collect()
    }

    /// An attempt neither asks nor calls any more, however that came.
    pub fn gone(&mut self, token: AttemptToken) -> Vec<Act> {
        let Some(key) = self.left(token) else { return Vec::new() };
        let Some(flight) = self.flights.get_mut(&key) else { return Vec::new() };
        flight.behind.retain(|asker| asker.recall.token != token);
        let was_first = match &flight.first {
            First::Looks(asker) => asker.recall.token == token,
            First::Calls(calling) => *calling == token,
            First::Landed(_) => false,
        };
        if was_first { self.next(&key) } else { Vec::new() }
    }

    /// Whether nobody asks or calls.
    pub fn is_empty(&self) -> bool {
        self.flights.is_empty() && self.of_run.is_empty()
    }

    /// All that wait and may take a result have it.
    fn share(&mut self, key: &FlightKey, revision: u64, hit: &Hit) -> Vec<Act> {
        let Some(flight) = self.flights.get_mut(key) else { return Vec::new() };
        let (served, behind) =
            flight.behind.drain(..).partition::<VecDeque<_>, _>(|asker| asker.takes(revision));
        flight.behind = behind;
        let tokens: Vec<AttemptToken> = served.iter().map(|asker| asker.recall.token).collect();
        tokens
            .into_iter()
            .map(|token| {
                self.left(token);
                Act::Answer(token, Recalled::Hit(Box::new(hit.clone())))
            })
            .collect()
    }

    /// Who comes next is the first now.
    fn next(&mut self, key: &FlightKey) -> Vec<Act> {
        let Some(mut flight) = self.flights.remove(key) else { return Vec::new() };
        match flight.behind.pop_front() {
            Some(asker) => self.begin(key.clone(), asker, flight.behind),
            None => Vec::new(),
        }
    }

    fn begin(&mut self, key: FlightKey, asker: Asker, behind: VecDeque<Asker>) -> Vec<Act> {
        let token = asker.recall.token;
        let (first, act) = match asker.recall.reading {
            Reading::Allowed => {
                let act = Act::Look(key.clone(), asker.recall.clone(), asker.revision);
                (First::Looks(asker), act)
            }
            Reading::Bypassed => (First::Calls(token), Act::Answer(token, Recalled::Miss(Miss::NoCache))),
        };
        self.flights.insert(key, Flight { first, behind });
        vec![act]
    }

    fn takes_part(&mut self, token: AttemptToken, key: &FlightKey) {
        self.of_run.entry(token.run).or_default().push((token, key.clone()));
    }

    fn left(&mut self, token: AttemptToken) -> Option<FlightKey> {
        let of_run = self.of_run.get_mut(&token.run)?;
        let at = of_run.iter().position(|(known, _)| *known == token)?;
        let (_, key) = of_run.swap_remove(at);
        if of_run.is_empty() {
            self.of_run.remove(&token.run);
        }
        Some(key)
    }
}

impl Asker {
    /// Whether a result of a revision is one for it.
    fn takes(&self, revision: u64) -> bool {
        self.recall.reading == Reading::Allowed && self.revision == revision
    }
}
