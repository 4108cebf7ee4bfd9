//! Which call goes to which replica, and which waits: the state of the dispatcher, without its I/O.
//!
//! Calls of one service wait in one queue, by priority and time of arrival: waiting makes up for priority ([`Rank`]). A call goes to the
//! replica with fewer calls in flight of two that are drawn (Mitzenmacher, "The Power of Two Choices in
//! Randomized Load Balancing", 2001); with two or three replicas that is the least loaded one.

use consort_invoke::Target;
use consort_types::{AttemptToken, Name, Rank, Timestamp};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Calls that wait in line for one service at most. Those beyond stand beside it and ask again now and then.
pub const QUEUE_MAX: usize = 1_000_000;

/// A service of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey {
    /// The namespace.
    pub namespace: Name,
    /// The service.
    pub service: Name,
}

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallId {
    /// An attempt of a step.
    Attempt(AttemptToken),
    /// A call from outside.
    Direct(u64),
}

/// A place that takes calls: a replica, someone else's server, or processes of this machine.
#[derive(Debug, Clone)]
pub struct Slot {
    /// Names it among those of its service.
    pub id: u64,
    /// Shown in attempts.
    pub name: String,
    /// Which revision of the service it runs.
    pub revision: u64,
    /// Where calls go.
    pub target: Arc<Target>,
}

/// A call that waits for a replica.
#[derive(Debug)]
pub struct Waiting<T> {
    /// -100 to 100; higher first.
    pub priority: i32,
    /// Since when it waits.
    pub since: Timestamp,
    /// Names it, so that it can be taken back.
    pub id: CallId,
    /// What it is.
    pub call: T,
}

/// The calls and replicas of all services.
#[derive(Debug)]
pub struct Balancer<T> {
    services: HashMap<ServiceKey, Service<T>>,
    arrivals: u64,
}

#[derive(Debug)]
struct Service<T> {
    queue: BTreeMap<Place, Waiting<T>>,
    /// Where the calls that can be taken back stand in the queue.
    places: HashMap<CallId, Place>,
    slots: Vec<Held>,
    concurrency: u32,
    draw: u64,
}

#[derive(Debug)]
struct Held {
    slot: Slot,
    in_flight: u32,
    /// Gone from the set: takes no more calls, and goes away with its last one.
    leaving: bool,
}

/// Place in a queue: by rank, then in order of arrival.
type Place = (Rank, u64);

impl<T> Default for Balancer<T> {
    fn default() -> Self {
        Self { services: HashMap::new(), arrivals: 0 }
    }
}

impl<T> Default for Service<T> {
    fn default() -> Self {
        Self { queue: BTreeMap::new(), places: HashMap::new(), slots: Vec::new(), concurrency: 1, draw: 0 }
    }
}

/// What a service has to do right now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Load {
    /// Calls that wait.
    pub queued: u32,
    /// Calls in flight, on replicas that leave too.
    pub in_flight: u32,
    /// Replicas that take calls.
    pub slots: u32,
}

impl<T> Balancer<T> {
    /// Puts a call into the queue of its service.
    ///
    /// # Errors
    /// Gives the call back when the queue is full.
    pub fn enqueue(&mut self, key: &ServiceKey, waiting: Waiting<T>) -> Result<(), Waiting<T>> {
        self.arrivals += 1;
        let arrival = self.arrivals;
        let service = self.service(key);
        if service.queue.len() >= QUEUE_MAX {
            return Err(waiting);
        }
        let place = (Rank::new(waiting.priority, waiting.since), arrival);
        service.places.insert(waiting.id, place);
        service.queue.insert(place, waiting);
        Ok(())
    }

    /// Whether no more calls can wait for a service.
    pub fn is_full(&self, key: &ServiceKey) -> bool {
        self.services.get(key).is_some_and(|service| service.queue.len() >= QUEUE_MAX)
    }

    /// Takes the next call that can go now, with the replica that takes it.
    pub fn next(&mut self, key: &ServiceKey) -> Option<(Waiting<T>, Slot)> {
        let service = self.services.get_mut(key)?;
        if service.queue.is_empty() {
            return None;
        }
        let position = service.pick()?;
        let (_, waiting) = service.queue.pop_first()?;
        service.places.remove(&waiting.id);
        let held = &mut service.slots[position];
        held.in_flight += 1;
        Some((waiting, held.slot.clone()))
    }

    /// A call has come back from a replica.
    pub fn release(&mut self, key: &ServiceKey, slot: u64) {
        let Some(service) = self.services.get_mut(key) else { return };
        if let Some(held) = service.slots.iter_mut().find(|held| held.slot.id == slot) {
            held.in_flight = held.in_flight.saturating_sub(1);
        }
        service.slots.retain(|held| !held.leaving || held.in_flight > 0);
    }

    /// Takes a waiting call back. False when it does not wait (any more).
    pub fn withdraw(&mut self, key: &ServiceKey, id: CallId) -> bool {
        let Some(service) = self.services.get_mut(key) else { return false };
        service.places.remove(&id).is_some_and(|place| service.queue.remove(&place).is_some())
    }

    /// Says which replicas take calls from now on, and how many each.
    pub fn set_slots(&mut self, key: &ServiceKey, slots: Vec<Slot>, concurrency: u32) {
        let service = self.service(key);
        service.concurrency = concurrency.max(1);
        for held in &mut service.slots {
            held.leaving = !slots.iter().any(|slot| slot.id == held.slot.id);
        }
        service.slots.retain(|held| !held.leaving || held.in_flight > 0);
        for slot in slots {
            if !service.slots.iter().any(|held| held.slot.id == slot.id) {
                service.slots.push(Held { slot, in_flight: 0, leaving: false });
            }
        }
    }

    /// The service is gone. Calls that wait for it go on waiting: it may come back.
    pub fn forget(&mut self, key: &ServiceKey) {
        self.set_slots(key, Vec::new(), 1);
        if self.services.get(key).is_some_and(|service| service.queue.is_empty() && service.slots.is_empty())
        {
            self.services.remove(key);
        }
    }

    /// What a service has to do right now.
    pub fn load(&self, key: &ServiceKey) -> Load {
        let Some(service) = self.services.get(key) else { return Load::default() };
        Load {
            queued: service.queue.len() as u32,
            in_flight: service.slots.iter().map(|held| held.in_flight).sum(),
            slots: service.slots.iter().filter(|held| !held.leaving).count() as u32,
        }
    }

    /// Calls in flight on one replica.
    pub fn in_flight_on(&self, key: &ServiceKey, slot: u64) -> u32 {
        let slots = self.services.get(key).map_or(&[][..], |service| &service.slots);
        slots.iter().find(|held| held.slot.id == slot).map_or(0, |held| held.in_flight)
    }

    fn service(&mut self, key: &ServiceKey) -> &mut Service<T> {
        if !self.services.contains_key(key) {
            self.services.insert(key.clone(), Service::default());
        }
        self.services.get_mut(key).expect("it was just put there")
    }
}

impl<T> Service<T> {
    /// A replica with room: the less loaded of two drawn ones, else any that has room.
    fn pick(&mut self) -> Option<usize> {
        let room = |held: &Held| !held.leaving && held.in_flight < self.concurrency;
        let open: Vec<usize> = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, held)| room(held))
            .map(|(position, _)| position)
            .collect();
        if open.len() <= 1 {
            return open.first().copied();
        }
        // A Weyl sequence spreads the draws evenly; nothing here needs to be unpredictable.
        self.draw = self.draw.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let first = (self.draw >> 33) as usize % open.len();
        let second = (first + 1 + (self.draw >> 13) as usize % (open.len() - 1)) % open.len();
        let [first, second] = [open[first], open[second]];
        let less = if self.slots[second].in_flight < self.slots[first].in_flight { second } else { first };
        Some(less)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consort_types::{NameKind, RunId};

    fn key() -> ServiceKey {
        let name = |text| Name::new(text, NameKind::Kebab).unwrap();
        ServiceKey { namespace: name("n"), service: name("s") }
    }

    fn slot(id: u64) -> Slot {
        let target = Arc::new(Target::Http { base: "http://127.0.0.1:1".into() });
        Slot { id, name: format!("s-{id}"), revision: 1, target }
    }

    fn id(node: u32) -> CallId {
        CallId::Attempt(AttemptToken { run: RunId::from_uuid(uuid::Uuid::from_u128(1)), node, number: 1 })
    }

    fn call(balancer: &mut Balancer<u32>, node: u32, priority: i32) {
        let since = Timestamp::from_millis(i64::from(node));
        balancer.enqueue(&key(), Waiting { priority, since, id: id(node), call: node }).unwrap();
    }

    #[test]
    fn a_call_waits_until_a_replica_comes_and_never_shares_its_place() {
        let mut balancer = Balancer::default();
        call(&mut balancer, 1, 0);
        call(&mut balancer, 2, 0);
        assert!(balancer.next(&key()).is_none());
        balancer.set_slots(&key(), vec![slot(7)], 1);
        let (first, at) = balancer.next(&key()).unwrap();
        assert_eq!((first.call, at.id), (1, 7));
        assert!(balancer.next(&key()).is_none(), "concurrency is 1");
        balancer.release(&key(), 7);
        assert_eq!(balancer.next(&key()).unwrap().0.call, 2);
    }

    #[test]
    fn higher_priority_first_then_order_of_arrival() {
        let mut balancer = Balancer::default();
        for (node, priority) in [(1, 0), (2, 5), (3, 5), (4, -1)] {
            call(&mut balancer, node, priority);
        }
        balancer.set_slots(&key(), vec![slot(1)], 10);
        let order: Vec<u32> =
            std::iter::from_fn(|| balancer.next(&key())).map(|(next, _)| next.call).collect();
        assert_eq!(order, [2, 3, 1, 4]);
    }

    #[test]
    fn waiting_makes_up_for_priority() {
        let mut balancer = Balancer::default();
        for (node, priority) in [(60_002, 10), (1, 0), (50_000, 10)] {
            call(&mut balancer, node, priority);
        }
        balancer.set_slots(&key(), vec![slot(1)], 10);
        let order: Vec<u32> =
            std::iter::from_fn(|| balancer.next(&key())).map(|(next, _)| next.call).collect();
        assert_eq!(order, [50_000, 1, 60_002], "a minute is worth ten steps");
    }

    #[test]
    fn a_withdrawn_call_never_goes_out() {
        let mut balancer = Balancer::default();
        call(&mut balancer, 1, 0);
        call(&mut balancer, 2, 0);
        assert!(balancer.withdraw(&key(), id(1)));
        assert!(!balancer.withdraw(&key(), id(1)), "only once");
        assert_eq!(balancer.load(&key()).queued, 1);
        balancer.set_slots(&key(), vec![slot(1)], 10);
        assert_eq!(balancer.next(&key()).unwrap().0.call, 2);
        assert!(!balancer.withdraw(&key(), id(2)), "it is in flight");
    }

    #[test]
    fn load_spreads_over_replicas_and_one_that_leaves_finishes() {
        let mut balancer = Balancer::default();
        balancer.set_slots(&key(), (0..4).map(slot).collect(), 8);
        for node in 0..16 {
            call(&mut balancer, node, 0);
        }
        while balancer.next(&key()).is_some() {}
        let loads: Vec<u32> = (0..4).map(|id| balancer.in_flight_on(&key(), id)).collect();
        assert!(loads.iter().all(|load| (2..=6).contains(load)), "{loads:?}");
        balancer.set_slots(&key(), vec![slot(0)], 8);
        assert_eq!(balancer.load(&key()).slots, 1);
        assert_eq!(balancer.load(&key()).in_flight, 16, "those in flight still count");
        for (id, load) in loads.iter().enumerate().skip(1) {
            (0..*load).for_each(|_| balancer.release(&key(), id as u64));
        }
        assert_eq!(balancer.load(&key()).in_flight, loads[0]);
    }

    #[test]
    fn a_hundred_thousand_waiting_calls_are_taken_back_at_once() {
        let mut balancer = Balancer::default();
        (0..100_000).for_each(|node| call(&mut balancer, node, 0));
        assert!((0..100_000).all(|node| balancer.withdraw(&key(), id(node))));
        assert_eq!(balancer.load(&key()), Load::default());
    }

    #[test]
    fn a_service_that_is_gone_leaves_nothing_but_the_calls_that_wait_for_it() {
        let mut balancer = Balancer::default();
        balancer.set_slots(&key(), vec![slot(1)], 1);
        balancer.forget(&key());
        assert!(balancer.services.is_empty());
        call(&mut balancer, 1, 0);
        balancer.forget(&key());
        balancer.set_slots(&key(), vec![slot(1)], 1);
        assert_eq!(balancer.next(&key()).unwrap().0.call, 1, "it came back");
    }
}
