//! Random worlds: whatever happens, the invariants of `world` hold after every decision, and once the world
//! behaves, the service comes to what is wanted.

mod world;

use consort_fleet::{ReplicaState, Revision, RolloutState, Rules, Strategy as Manner};
use proptest::prelude::*;
use std::time::Duration;
use world::{Behaviour, World};

#[derive(Debug, Clone)]
enum Happening {
    Pass(u64),
    Calls(u32),
    Apply(u64, Behaviour),
    Crash(usize),
    Sicken(usize),
    Recover(usize),
    Scale(Option<u32>),
    Restart,
    Rollback(Option<u64>),
    Resize(u32, u32),
    Release,
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        4 => Just(Behaviour::Good),
        1 => Just(Behaviour::ExitsAtStart),
        1 => (100..20_000_u64).prop_map(|ms| Behaviour::Crashes(Duration::from_millis(ms))),
        1 => Just(Behaviour::NeverHealthy),
        1 => Just(Behaviour::Hangs),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => prop_oneof![0..500_u64, 500..20_000_u64, 20_000..200_000_u64].prop_map(Happening::Pass),
        4 => prop_oneof![Just(0), 1..40_u32].prop_map(Happening::Calls),
        3 => (1..5_u64, behaviour()).prop_map(|(revision, behaviour)| Happening::Apply(revision, behaviour)),
        3 => (0..8_usize).prop_map(Happening::Crash),
        2 => (0..8_usize).prop_map(Happening::Sicken),
        1 => (0..8_usize).prop_map(Happening::Recover),
        1 => proptest::option::of(0..6_u32).prop_map(Happening::Scale),
        1 => Just(Happening::Restart),
        1 => proptest::option::of(1..5_u64).prop_map(Happening::Rollback),
        1 => (0..4_u32, 1..8_u32).prop_map(|(min, max)| Happening::Resize(min, max.max(min))),
        1 => Just(Happening::Release),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    (0..4_u32, 0..6_u32, 1..6_u32, 0..3_u32, 0..3_u32, 0..4_u8, any::<bool>()).prop_map(
        |(min, more, concurrency, max_surge, max_unavailable, manner, roll_back)| Rules {
            min,
            max: (min + more).max(1),
            concurrency,
            max_surge,
            max_unavailable,
            strategy: if manner == 0 { Manner::Recreate } else { Manner::Rolling },
            roll_back,
            ..Rules::default()
        },
    )
}

fn happen(world: &mut World, happening: &Happening) {
    match *happening {
        Happening::Pass(ms) => world.run(Duration::from_millis(ms)),
        Happening::Calls(calls) => world.calls = calls,
        Happening::Apply(revision, behaviour) => {
            world.behaviour.insert(Revision(revision), behaviour);
            world.apply(revision);
        }
        Happening::Crash(nth) => world.crash_one(nth),
        Happening::Sicken(nth) => world.turn(nth, ReplicaState::Ready, ReplicaState::Unready),
        Happening::Recover(nth) => world.turn(nth, ReplicaState::Unready, ReplicaState::Ready),
        Happening::Scale(replicas) => world.scale(replicas),
        Happening::Restart => world.restart(),
        Happening::Rollback(to) => drop(world.rollback(to)),
        Happening::Resize(min, max) => {
            world.rules.min = min;
            world.rules.max = max;
            world.fleet.apply(world.rules.clone(), world.fleet.revision(), world.now);
        }
        Happening::Release => world.fleet.release(),
    }
}

/// Once nothing goes wrong any more, what is wanted is there, and nothing moves.
fn comes_to_rest(world: &mut World) {
    world.behaviour.clear();
    world.scale(None);
    world.calls = world.rules.concurrency;
    let hour = Duration::from_secs(3_600);
    // What hangs from before is noticed by the health check, in the real world.
    world.run(Duration::from_secs(5));
    for _ in 0..world.total() {
        world.turn(0, ReplicaState::Starting, ReplicaState::Unready);
    }
    for id in world.replicas().iter().map(|it| it.id).collect::<Vec<_>>() {
        world.heal(id);
    }
    world.run(hour);
    let status = world.status();
    let desired = world.rules.min.max(1) as usize;
    assert_eq!(world.ready().len(), desired, "{status:?} {:?}", world.replicas());
    assert_eq!(world.total(), desired, "{status:?}");
    let failed = status.rollout.is_some_and(|rollout| rollout.state == RolloutState::Failed);
    if !failed {
        assert!(
            world.ready().iter().all(|it| Revision(*it) == world.fleet.revision()),
            "{:?}",
            world.ready()
        );
    }
    let decisions = world.decisions;
    world.run(hour);
    assert!(
        world.decisions - decisions <= 4,
        "{} decisions of a service at rest",
        world.decisions - decisions
    );
    world.fleet.remove();
    world.run(Duration::from_secs(60));
    assert_eq!(world.total(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(20_261_124), ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(
        rules in rules(),
        first in behaviour(),
        happenings in proptest::collection::vec(happening(), 1..40),
    ) {
        let mut world = World::new(rules, 1);
        world.behaviour.insert(Revision(1), first);
        for happening in happenings {
            happen(&mut world, &happening);
        }
        comes_to_rest(&mut world);
    }
}
