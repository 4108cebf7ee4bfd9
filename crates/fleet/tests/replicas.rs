//! What a service's replicas do, as its users would tell it.

mod world;

use consort_fleet::{
    Applied, Error, Fleet, FleetEvent, ReplicaState, RestartRule, Revision, RolloutState, Rules,
    ServiceState, Strategy,
};
use std::time::Duration;
use world::{Behaviour, World};

const SECOND: Duration = Duration::from_secs(1);

fn replicas(n: u32) -> Rules {
    Rules { min: n, max: n, ..Rules::default() }
}

fn deployed(rules: Rules) -> World {
    let mut world = World::new(rules, 1);
    world.run(2 * SECOND);
    assert_eq!(world.state(), ServiceState::Ready, "{:?}", world.status());
    world
}

mod scaling {
    use super::*;

    fn elastic(min: u32, max: u32) -> Rules {
        Rules { min, max, concurrency: 4, ..Rules::default() }
    }

    #[test]
    fn calls_decide_how_many() {
        for (calls, expected) in [(0, 1), (1, 1), (4, 1), (5, 2), (9, 3), (1_000, 8), (u32::MAX, 8)] {
            let mut world = deployed(elastic(1, 8));
            world.calls = calls;
            world.run(2 * SECOND);
            assert_eq!(world.ready().len(), expected, "{calls} calls");
        }
    }

    #[test]
    fn up_at_once_and_down_after_a_calm_time() {
        let mut world = deployed(elastic(1, 8));
        world.calls = 9;
        world.run(SECOND);
        assert_eq!(
            (world.ready().len(), world.explained.last().unwrap().as_str()),
            (3, "1 → 3: 5 waiting, 4 in flight, 4 a replica")
        );
        world.calls = 2;
        world.run(59 * SECOND);
        assert_eq!(world.ready().len(), 3);
        world.calls = 7;
        world.run(SECOND);
        world.calls = 2;
        world.run(2 * SECOND);
        assert_eq!(world.ready().len(), 2, "7 calls were there within the last minute");
        world.run(60 * SECOND);
        assert_eq!(world.total(), 1);
        assert_eq!(world.explained.last().unwrap(), "2 → 1: no more was needed for 1m");
    }

    #[test]
    fn to_zero_when_nobody_calls_and_back_on_the_first_call() {
        let mut world = deployed(elastic(0, 4));
        world.run(61 * SECOND);
        assert_eq!((world.total(), world.state()), (0, ServiceState::Idle));
        assert_eq!(world.last.serving, [Revision(1)], "the call waits for this one");
        let starts = world.starts.len();
        world.calls = 1;
        world.run(Duration::ZERO);
        assert_eq!(world.starts.len(), starts + 1, "started at once");
        world.run(120 * SECOND);
        assert_eq!(world.ready(), [1], "a call in flight keeps it up");
    }

    #[test]
    fn by_hand_until_the_definition_changes() {
        let mut world = deployed(elastic(1, 2));
        world.scale(Some(5));
        world.run(SECOND);
        assert_eq!((world.ready().len(), world.explained.last().unwrap().as_str()), (5, "1 → 5: by hand"));
        world.apply(1);
        world.run(SECOND);
        assert_eq!(world.ready().len(), 5, "nothing changed");
        world.scale(Some(0));
        world.calls = 3;
        world.run(5 * SECOND);
        assert_eq!((world.total(), world.state()), (0, ServiceState::Stopped));
        world.apply(2);
        world.run(5 * SECOND);
        assert_eq!(world.ready(), [2]);
    }

    #[test]
    fn the_least_missed_go_first_and_finish_their_calls() {
        let mut world = deployed(replicas(3));
        world.rules.min = 1;
        world.calls = 1;
        world.call_takes = 30 * SECOND;
        world.turn(1, ReplicaState::Ready, ReplicaState::Unready);
        let sick = world.replicas().iter().find(|it| it.state == ReplicaState::Unready).unwrap().id;
        world.scale(Some(1));
        world.run(SECOND);
        let left = world.replicas();
        assert_eq!(left.len(), 1);
        assert_ne!(left[0].id, sick);
        assert_eq!(left[0].in_flight, 1, "the busy one stayed");
    }
}

mod restarting {
    use super::*;

    #[test]
    fn a_crash_is_replaced_after_a_second() {
        let mut world = deployed(replicas(2));
        world.crash_one(0);
        world.run(Duration::from_millis(700));
        assert_eq!((world.total(), world.state()), (1, ServiceState::Degraded));
        assert!(world.status().detail.contains("exit code 1); next start at "), "{}", world.status().detail);
        world.run(SECOND);
        assert_eq!((world.ready().len(), world.state()), (2, ServiceState::Ready));
    }

    #[test]
    fn a_crash_loop_backs_off_to_a_minute_and_heals() {
        let mut world = deployed(replicas(1));
        world.behaviour.insert(Revision(1), Behaviour::Crashes(SECOND));
        world.crash_one(0);
        world.run(600 * SECOND);
        let pauses: Vec<_> =
            world.starts.windows(2).skip(1).map(|pair| pair[1].0.since(pair[0].0) - SECOND).collect();
        for (pause, base_s) in pauses.iter().zip([2, 4, 8, 16, 32, 60, 60, 60]) {
            let base = base_s * SECOND;
            assert!(*pause >= base * 8 / 10 && *pause <= base * 12 / 10, "{pauses:?}");
        }
        let status = world.status();
        assert_eq!(status.state, ServiceState::CrashLoop, "{status:?}");
        assert!(status.detail.contains("times in a row (exit code 1); next start at"), "{}", status.detail);
        assert!(status.next_start_at.is_some_and(|at| at > world.now));
        world.behaviour.clear();
        world.run_until(62 * SECOND, |world| world.state() == ServiceState::Ready);
        world.run(70 * SECOND);
        world.crash_one(0);
        world.run(2 * SECOND);
        assert_eq!(world.ready(), [1], "a minute of clean running: back to one second");
        assert_eq!(world.starts.last().unwrap().2, 2);
    }

    #[test]
    fn a_hand_ends_the_wait() {
        let mut world = World::new(replicas(1), 1);
        world.behaviour.insert(Revision(1), Behaviour::ExitsAtStart);
        world.run(200 * SECOND);
        assert_eq!(world.state(), ServiceState::Failed);
        world.behaviour.clear();
        world.restart();
        world.run(SECOND);
        assert_eq!((world.ready(), world.state()), (vec![1], ServiceState::Ready));
    }

    #[test]
    fn the_rule_decides_what_stays_down() {
        let well = Behaviour::Finishes(5 * SECOND);
        let badly = Behaviour::Crashes(5 * SECOND);
        for (rule, behaviour, comes_back) in [
            (RestartRule::Always, well, true),
            (RestartRule::Always, badly, true),
            (RestartRule::OnFailure, well, false),
            (RestartRule::OnFailure, badly, true),
            (RestartRule::No, well, false),
            (RestartRule::No, badly, false),
        ] {
            let mut world = World::new(Rules { restart: rule, ..replicas(2) }, 1);
            world.behaviour.insert(Revision(1), behaviour);
            world.run(8 * SECOND);
            assert_eq!(world.total() > 0, comes_back, "{rule:?} {behaviour:?}");
            assert_eq!(world.state() == ServiceState::Stopped, !comes_back, "{rule:?} {behaviour:?}");
        }
    }

    #[test]
    fn an_unhealthy_one_gets_no_calls_and_then_a_successor() {
        let mut world = deployed(replicas(2));
        world.turn(0, ReplicaState::Ready, ReplicaState::Unready);
        world.run(Duration::from_millis(500));
        assert_eq!((world.ready().len(), world.total(), world.state()), (1, 2, ServiceState::Degraded));
        world.run(2 * SECOND);
        assert_eq!((world.ready().len(), world.total()), (2, 2));
        assert!(world.replicas().iter().all(|it| it.state == ReplicaState::Ready));
    }

    #[test]
    fn one_that_recovers_in_time_stays() {
        let mut world = deployed(replicas(1));
        world.turn(0, ReplicaState::Ready, ReplicaState::Unready);
        world.run(Duration::from_millis(500));
        world.turn(0, ReplicaState::Unready, ReplicaState::Ready);
        world.run(10 * SECOND);
        assert_eq!((world.ready(), world.starts.len()), (vec![1], 1));
    }

    #[test]
    fn by_hand_all_are_replaced_without_a_gap() {
        for rules in [replicas(3), Rules { strategy: Strategy::Recreate, ..replicas(3) }] {
            let mut world = deployed(rules);
            let before: Vec<_> = world.replicas().iter().map(|it| it.id).collect();
            world.restart();
            world.run(20 * SECOND);
            assert_eq!(world.ready(), [1, 1, 1]);
            assert!(world.replicas().iter().all(|it| !before.contains(&it.id)));
        }
    }
}

mod rollouts {
    use super::*;

    #[test]
    fn another_revision_comes_in_without_a_gap() {
        let mut world = deployed(replicas(3));
        assert_eq!(world.apply(2), Applied::RollingOut);
        world.run(Duration::from_millis(100));
        assert_eq!((world.total(), world.ready()), (4, vec![1, 1, 1]));
        assert_eq!(world.state(), ServiceState::RollingOut);
        world.run(10 * SECOND);
        assert_eq!((world.ready(), world.total(), world.state()), (vec![2, 2, 2], 3, ServiceState::Ready));
        assert_eq!(world.events.last(), Some(&FleetEvent::RolloutSucceeded { revision: Revision(2) }));
        let rollout = world.status().rollout.unwrap();
        assert_eq!((rollout.from, rollout.to), (Some(Revision(1)), Revision(2)));
        assert_eq!(rollout.state, RolloutState::Succeeded);
    }

    #[test]
    fn both_knobs_at_zero_still_move() {
        let mut world = deployed(Rules { max_surge: 0, max_unavailable: 0, ..replicas(2) });
        world.apply(2);
        world.run(10 * SECOND);
        assert_eq!(world.ready(), [2, 2]);
    }

    #[test]
    fn without_surge_one_goes_before_one_comes() {
        let mut world = deployed(Rules { max_surge: 0, max_unavailable: 1, ..replicas(3) });
        world.apply(2);
        world.run(Duration::from_millis(5));
        assert_eq!((world.total(), world.ready()), (3, vec![1, 1]));
        world.run(10 * SECOND);
        assert_eq!(world.ready(), [2, 2, 2]);
    }

    #[test]
    fn recreate_ends_all_before_it_starts_any() {
        let mut world = deployed(Rules { strategy: Strategy::Recreate, ..replicas(2) });
        world.calls = 2;
        world.call_takes = 5 * SECOND;
        world.apply(2);
        world.run(4 * SECOND);
        assert_eq!((world.total(), world.ready()), (2, vec![]), "calls in flight finish on the old ones");
        world.run(3 * SECOND);
        assert_eq!(world.ready(), [2, 2]);
    }

    #[test]
    fn what_does_not_start_is_rolled_back() {
        for (behaviour, why) in [
            (Behaviour::ExitsAtStart, "failed to start 3 times in a row (exit code 1)"),
            (Behaviour::NeverHealthy, "failed to start 3 times in a row (its health check fails)"),
            (
                Behaviour::Crashes(Duration::from_millis(400)),
                "failed to start 3 times in a row (exit code 1)",
            ),
            (Behaviour::Hangs, "made no progress for 10m"),
        ] {
            let mut world = deployed(replicas(3));
            world.behaviour.insert(Revision(2), behaviour);
            world.apply(2);
            world.run_until(700 * SECOND, |world| {
                world.state() == ServiceState::RollingBack || {
                    matches!(world.events.last(), Some(FleetEvent::RolledBack { .. }))
                }
            });
            world.run(10 * SECOND);
            assert_eq!((world.ready(), world.state()), (vec![1, 1, 1], ServiceState::Ready), "{behaviour:?}");
            let rollout = world.status().rollout.unwrap();
            assert_eq!(rollout.state, RolloutState::RolledBack);
            assert!(rollout.detail.contains(why), "{}", rollout.detail);
            assert_eq!(world.apply(2), Applied::Held, "applying it again needs a decision");
            world.fleet.release();
            assert_eq!(world.apply(2), Applied::RollingOut);
        }
    }

    #[test]
    fn told_not_to_roll_back_the_old_ones_serve_on() {
        let mut world = deployed(Rules { roll_back: false, max_unavailable: 1, ..replicas(3) });
        world.behaviour.insert(Revision(2), Behaviour::ExitsAtStart);
        world.apply(2);
        world.run(60 * SECOND);
        assert_eq!((world.ready(), world.state()), (vec![1, 1, 1], ServiceState::Degraded));
        assert_eq!(world.fleet.revision(), Revision(2));
        assert_eq!(world.status().rollout.unwrap().state, RolloutState::Failed);
        let starts = world.starts.len();
        world.run(600 * SECOND);
        assert_eq!(world.starts.len(), starts, "it is not tried for ever");
        world.behaviour.clear();
        world.restart();
        world.run(20 * SECOND);
        assert_eq!(world.ready(), [2, 2, 2], "a restart tries it again");
    }

    #[test]
    fn the_first_one_has_nothing_to_go_back_to() {
        let mut world = World::new(replicas(1), 1);
        world.behaviour.insert(Revision(1), Behaviour::ExitsAtStart);
        world.run(30 * SECOND);
        assert_eq!(world.state(), ServiceState::Failed);
        assert!(matches!(world.events[..], [FleetEvent::RolloutFailed { .. }]), "{:?}", world.events);
        world.behaviour.clear();
        world.run(70 * SECOND);
        assert_eq!(world.state(), ServiceState::Ready, "the back-off went on");
        assert_eq!(world.status().rollout.unwrap().state, RolloutState::Succeeded);
    }

    #[test]
    fn the_newest_apply_wins() {
        let mut world = deployed(replicas(3));
        world.behaviour.insert(Revision(2), Behaviour::Hangs);
        world.apply(2);
        world.run(5 * SECOND);
        world.apply(3);
        world.run(10 * SECOND);
        assert_eq!((world.ready(), world.total()), (vec![3, 3, 3], 3));
        assert_eq!(world.fleet.previous_revision(), Some(Revision(1)), "2 never worked");
    }

    #[test]
    fn a_service_at_zero_proves_its_revision_with_one() {
        let mut world = deployed(Rules { min: 0, max: 4, ..Rules::default() });
        world.run(70 * SECOND);
        assert_eq!(world.total(), 0);
        world.apply(2);
        world.run(2 * SECOND);
        assert_eq!(world.ready(), [2]);
        assert_eq!(world.explained.last().unwrap(), "0 → 1: a replica has to prove the revision");
        world.run(61 * SECOND);
        assert_eq!((world.total(), world.state()), (0, ServiceState::Idle));
    }

    #[test]
    fn a_scale_up_in_the_middle_is_answered() {
        let mut world = deployed(Rules { min: 2, max: 8, concurrency: 1, ..Rules::default() });
        world.apply(2);
        world.calls = 6;
        world.run(10 * SECOND);
        assert_eq!(world.ready(), [2, 2, 2, 2, 2, 2]);
    }
}

mod going_back {
    use super::*;

    #[test]
    fn by_hand_and_stays_until_something_else_is_applied() {
        let mut world = deployed(replicas(2));
        world.apply(2);
        world.run(10 * SECOND);
        assert_eq!(world.rollback(None), Ok(Revision(1)));
        world.run(Duration::from_millis(100));
        assert_eq!(world.state(), ServiceState::RollingBack);
        world.run(10 * SECOND);
        assert_eq!(world.ready(), [1, 1]);
        assert_eq!(world.apply(2), Applied::Held);
        world.run(10 * SECOND);
        assert_eq!(world.ready(), [1, 1]);
        assert_eq!(world.apply(3), Applied::RollingOut);
        assert_eq!(world.apply(2), Applied::RollingOut, "held no longer");
    }

    #[test]
    fn nowhere_to_go() {
        let mut world = deployed(replicas(1));
        assert_eq!(world.rollback(None), Err(Error::NoPrevious));
        assert_eq!(world.rollback(Some(1)), Err(Error::AlreadyThere(Revision(1))));
        world.fleet.remove();
        assert_eq!(world.rollback(Some(7)), Err(Error::Removed));
    }

    #[test]
    fn in_the_middle_of_a_rollout() {
        let mut world = deployed(replicas(2));
        world.behaviour.insert(Revision(2), Behaviour::Hangs);
        world.apply(2);
        world.run(SECOND);
        assert_eq!(world.rollback(None), Ok(Revision(1)));
        world.run(SECOND);
        assert_eq!((world.ready(), world.total(), world.state()), (vec![1, 1], 2, ServiceState::Ready));
        assert_eq!(
            world.starts.iter().filter(|start| start.1 == Revision(1)).count(),
            2,
            "none needed to start"
        );
    }

    #[test]
    fn to_one_that_fails_returns_to_where_it_came_from() {
        let mut world = deployed(replicas(1));
        world.behaviour.insert(Revision(9), Behaviour::ExitsAtStart);
        world.rollback(Some(9)).unwrap();
        world.run(30 * SECOND);
        assert_eq!((world.ready(), world.state()), (vec![1], ServiceState::Ready));
    }
}

#[test]
fn a_removed_service_finishes_its_calls_and_goes() {
    let mut world = deployed(replicas(2));
    world.calls = 2;
    world.call_takes = 5 * SECOND;
    world.run(SECOND);
    world.fleet.remove();
    world.run(4 * SECOND);
    assert_eq!((world.total(), world.state()), (2, ServiceState::Removing));
    world.run(2 * SECOND);
    assert_eq!((world.total(), world.events.last()), (0, Some(&FleetEvent::Removed)));
}

#[test]
fn an_owner_that_starts_anew_goes_on_from_what_was_saved() {
    let mut world = deployed(replicas(2));
    world.behaviour.insert(Revision(2), Behaviour::ExitsAtStart);
    world.apply(2);
    world.run(Duration::from_millis(150));
    let saved = world.fleet.saved();
    let mut anew = World::new(replicas(2), 1);
    anew.behaviour.insert(Revision(2), Behaviour::ExitsAtStart);
    anew.fleet = Fleet::resume(replicas(2), saved, anew.now);
    anew.run(60 * SECOND);
    assert_eq!(anew.ready(), [1, 1], "the rollout began again, and was rolled back again");
    let rested = Fleet::resume(replicas(2), anew.fleet.saved(), anew.now);
    assert_eq!((rested.revision(), rested.saved().held), (Revision(1), Some(Revision(2))));
}
