//! Pools in the words of the file: sizes, rates, budgets, keys, several at once, who is next.

mod world;

use consort_admission::*;
use consort_types::{Amount, Timestamp};
use world::{World, amount, budget, name, pool, rate, size, words};

#[test]
fn a_pool_of_two_lets_two_in_and_the_next_when_one_ends() {
    let mut world = World::new(&[("gpu", size(2.0))]);
    assert_eq!(world.ask(1, "a 0 gpu=1"), "1");
    assert_eq!(world.ask(2, "a 0 gpu=1"), "2");
    assert_eq!(world.ask(3, "a 0 gpu=1"), "");
    assert_eq!(world.ask(4, "a 0 gpu=1"), "");
    let why = world.why(4);
    assert_eq!(
        (why.lacks, why.used, why.ahead, why.holders),
        (Lacks::Permits, Amount::units(2), 1, vec![1, 2])
    );
    assert_eq!(world.end(1), "3");
    assert_eq!(world.end(1), "", "once");
    assert_eq!(world.end(2), "4");
    assert_eq!(world.end(3), "");
    assert_eq!(world.end(4), "");
    assert_eq!(world.view("gpu"), None, "nothing is left of it");
}

#[test]
fn fractions_add_up() {
    let mut world = World::new(&[("cpu", size(1.0))]);
    for id in 0..10 {
        assert_eq!(world.ask(id, "a 0 cpu=0.1"), id.to_string());
    }
    assert_eq!(world.ask(10, "a 0 cpu=0.000001"), "");
    assert_eq!(world.end(3), "10");
}

#[test]
fn more_than_a_pool_has_is_refused_at_once_and_when_the_pool_shrinks() {
    let mut world = World::new(&[("gpu", size(2.0)), ("llm", rate(10, 1_000))]);
    assert_eq!(world.ask(1, "a 0 gpu=3"), "!1");
    assert_eq!(world.ask(2, "a 0 llm=11"), "!2");
    assert_eq!(world.ask(3, "a 0 gpu=2"), "3");
    assert_eq!(world.ask(4, "a 0 gpu=2"), "");
    assert_eq!(world.ask(5, "a 0 gpu=1"), "");
    assert_eq!(world.declare("gpu", Some(size(1.0))), "!4");
    assert_eq!(world.end(3), "5", "what is held above the new size ends first");
}

#[test]
fn a_larger_pool_wakes_who_waits_and_a_removed_one_holds_nobody() {
    let mut world = World::new(&[("gpu", size(1.0))]);
    assert_eq!(world.ask(1, "a 0 gpu=1"), "1");
    for id in 2..6 {
        assert_eq!(world.ask(id, "a 0 gpu=1"), "");
    }
    assert_eq!(world.declare("gpu", Some(size(3.0))), "2 3");
    assert_eq!(world.declare("gpu", None), "4 5");
    assert_eq!(world.ask(6, "a 0 gpu=100"), "6");
}

#[test]
fn who_is_withdrawn_leaves_its_place_and_what_it_was_granted() {
    let mut world = World::new(&[("gpu", size(1.0))]);
    assert_eq!(world.ask(1, "a 0 gpu=1"), "1");
    assert_eq!(world.ask(2, "a 0 gpu=1"), "");
    assert_eq!(world.ask(3, "a 0 gpu=1"), "");
    assert_eq!(world.withdraw(2), "");
    assert_eq!(world.withdraw(1), "3", "granted and never sent");
    assert_eq!(world.withdraw(77), "", "unknown");
}

#[test]
fn who_wants_much_is_not_overtaken_by_those_who_want_little() {
    let mut world = World::new(&[("gpu", size(4.0))]);
    assert_eq!(world.ask(1, "a 0 gpu=2"), "1");
    assert_eq!(world.ask(2, "a 0 gpu=2"), "2");
    assert_eq!(world.ask(3, "a 0 gpu=4"), "");
    assert_eq!(world.ask(4, "a 0 gpu=1"), "", "there is no room yet, and then 3 is first");
    assert_eq!(world.end(1), "", "kept free for 3");
    assert_eq!(world.end(2), "3");
    assert_eq!(world.end(3), "4");
}

#[test]
fn several_pools_are_taken_together_or_not_at_all() {
    let mut world = World::new(&[("gpu", size(1.0)), ("llm", size(1.0))]);
    assert_eq!(world.ask(1, "a 0 gpu=1"), "1");
    assert_eq!(world.ask(2, "a 0 gpu=1 llm=1"), "");
    assert_eq!(world.ask(3, "a 0 llm=1"), "3", "2 keeps nothing of llm while it waits for gpu");
    assert_eq!(world.end(1), "", "now 2 waits for llm, and keeps nothing of gpu");
    assert_eq!(world.why(2).pool, pool("llm"));
    assert_eq!(world.ask(4, "a 0 gpu=1"), "4");
    assert_eq!(world.end(3), "", "it has had its turn in both: from now on it keeps llm");
    assert_eq!(world.ask(5, "a 0 llm=1"), "");
    assert_eq!(world.ask(6, "a 0 gpu=1"), "", "nor does anybody pass it at gpu");
    assert_eq!(world.end(4), "2");
    assert_eq!(world.end(2), "6 5");
}

#[test]
fn two_that_reserve_never_lock_each_other_up() {
    let mut world = World::new(&[("a", size(1.0)), ("b", size(1.0)), ("c", size(1.0))]);
    assert_eq!(world.ask(1, "x 0 a=1"), "1");
    assert_eq!(world.ask(2, "x 0 b=1"), "2");
    assert_eq!(world.ask(3, "x 0 c=1"), "3");
    for (id, wants) in [(4, "x 0 a=1 b=1"), (5, "x 0 b=1 c=1"), (6, "x 0 c=1 a=1"), (7, "x 0 a=1 b=1 c=1")] {
        assert_eq!(world.ask(id, wants), "");
    }
    let mut running = vec![1, 2, 3];
    let mut gone = Vec::new();
    while let Some(id) = running.pop() {
        let started = world.end(id);
        running.extend(started.split_whitespace().map(|id| id.parse::<u32>().unwrap()));
        gone.push(id);
    }
    gone.sort_unstable();
    assert_eq!(gone, [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_workflow_that_brings_a_thousand_calls_shares_with_one_that_brings_a_few() {
    let mut world = World::new(&[("gpu", size(4.0))]);
    for id in 0..1_000 {
        world.ask(id, "big 0 gpu=1");
    }
    world.pass(60_000);
    for id in 1_000..1_004 {
        assert_eq!(world.ask(id, "small 0 gpu=1"), "");
    }
    assert_eq!(world.end(0), "1000");
    assert_eq!(world.end(1), "1001", "each holds two now");
    assert_eq!(world.end(2), "4", "each holds what is its share");
    assert_eq!(world.end(1_000), "1002");
}

#[test]
fn priority_counts_between_workflows_and_waiting_makes_up_for_it() {
    let mut world = World::new(&[("gpu", size(1.0))]);
    assert_eq!(world.ask(0, "a 0 gpu=1"), "0");
    assert_eq!(world.ask(1, "a -10 gpu=1"), "");
    for id in 2..30 {
        assert_eq!(world.ask(id, "b 0 gpu=1"), "");
    }
    let mut order = Vec::new();
    let mut running = 0;
    loop {
        world.pass(10_000);
        let next = world.end(running);
        let Ok(next) = next.parse() else { break };
        order.push(next);
        running = next;
    }
    let place = order.iter().position(|id| *id == 1).unwrap();
    assert!((5..=7).contains(&place), "ten steps are made up for by a minute: {order:?}");
    assert_eq!(order.len(), 29);
}

#[test]
fn a_rate_holds_over_every_period_and_not_only_over_those_of_the_clock() {
    let mut world = World::new(&[("llm", rate(3, 1_000))]);
    world.pass(900);
    for id in 0..3 {
        assert_eq!(world.ask(id, "a 0 llm=1"), id.to_string());
        world.end(id);
    }
    assert_eq!(world.ask(3, "a 0 llm=1"), "");
    let why = world.why(3);
    assert_eq!(why.lacks, Lacks::Rate);
    assert_eq!(why.until, Some(Timestamp::from_millis(world.now + 1_001)));
    assert_eq!(world.admission.wake_at(), why.until);
    assert_eq!(world.pass(1_000), "");
    assert_eq!(world.pass(1), "3");
}

#[test]
fn a_call_that_is_sent_late_counts_from_when_it_was_sent() {
    let mut world = World::new(&[("llm", rate(1, 1_000))]);
    assert_eq!(world.ask(1, "a 0 llm=1"), "1");
    assert_eq!(world.ask(2, "a 0 llm=1"), "");
    assert_eq!(world.pass(10_000), "", "the first still waits for a replica");
    assert_eq!(world.end(1), "");
    assert_eq!(world.pass(1_001), "2");
    assert_eq!(world.ask(3, "a 0 llm=1"), "");
    assert_eq!(world.withdraw(2), "3", "it was never sent, and costs nothing");
}

#[test]
fn the_true_number_corrects_a_rate() {
    let mut world = World::new(&[("tokens", rate(100, 1_000))]);
    assert_eq!(world.ask(1, "a 0 tokens=80~"), "1");
    assert_eq!(world.ask(2, "a 0 tokens=60~"), "");
    assert_eq!(world.end(1), "", "what it took stands until the true number is there");
    assert_eq!(world.settle(1, 30.0), "2");
    assert_eq!(world.settle(1, 0.0), "", "once");
    assert_eq!(world.ask(3, "a 0 tokens=20~"), "");
    world.end(2);
    assert_eq!(world.settle(2, 90.0), "", "more than it took: 120 in this second");
    assert_eq!(world.pass(500), "");
    assert_eq!(world.pass(501), "3");
}

#[test]
fn a_budget_is_never_overdrawn_and_the_true_number_corrects_it() {
    let mut world = World::new(&[("spend", budget(100, WhenEmpty::Wait, Some(Reset::Daily)))]);
    assert_eq!(world.ask(1, "a 0 spend=60~"), "1");
    assert_eq!(world.ask(2, "a 0 spend=60~"), "");
    assert_eq!(world.why(2).lacks, Lacks::Budget);
    world.end(1);
    assert_eq!(world.settle(1, 40.0), "2");
    assert_eq!(world.view("spend").unwrap().budget.unwrap().spent, Amount::units(100));
    assert_eq!(world.ask(3, "a 0 spend=1"), "");
    let until = world.why(3).until.unwrap();
    assert_eq!(world.admission.wake_at(), Some(until));
    world.end(2);
    world.settle(2, 60.0);
    world.now = until.as_millis();
    assert_eq!(world.pass(0), "3", "a new day");
    assert_eq!(world.view("spend").unwrap().budget.unwrap().spent, Amount::units(1));
}

#[test]
fn an_empty_budget_refuses_only_once_nobody_can_give_some_back() {
    let mut world = World::new(&[("spend", budget(100, WhenEmpty::Fail, None))]);
    assert_eq!(world.ask(1, "a 0 spend=60~"), "1");
    assert_eq!(world.ask(2, "a 0 spend=60~"), "", "perhaps the first costs less");
    assert_eq!(world.ask(3, "a 0 spend=60~"), "");
    world.end(1);
    assert_eq!(world.settle(1, 40.0), "2");
    world.end(2);
    assert_eq!(world.settle(2, 60.0), "!3");
    assert_eq!(world.ask(4, "a 0 spend=1"), "!4");
}

#[test]
fn more_money_wakes_who_waits() {
    let mut world = World::new(&[("spend", budget(10, WhenEmpty::Wait, None))]);
    assert_eq!(world.ask(1, "a 0 spend=10"), "1");
    assert_eq!(world.ask(2, "a 0 spend=5"), "");
    let now = world.at();
    assert_eq!(words(&world.admission.add(&pool("spend"), Amount::units(4), now)), "");
    assert_eq!(words(&world.admission.add(&pool("spend"), Amount::units(1), now)), "2");
    assert_eq!(world.ask(3, "a 0 spend=100"), "!3", "nobody will ever have so much");
    assert_eq!(world.ask(4, "a 0 spend=10"), "");
    assert_eq!(world.declare("spend", Some(budget(20, WhenEmpty::Wait, None))), "4");
}

#[test]
fn what_a_request_spends_is_told_with_its_permission() {
    let mut world = World::new(&[("spend", budget(10, WhenEmpty::Wait, None))]);
    let want = Want { pool: pool("spend"), amount: amount(2.5), settles: true };
    let request = Request { id: 1, wants: vec![want], priority: 0, share: Share::new("a") };
    let now = world.at();
    let granted = world.admission.request(request, now);
    let [Decision::Granted { id: 1, spends }] = granted.as_slice() else { panic!("{granted:?}") };
    assert_eq!((spends[0].more, spends[0].less), (amount(2.5), Amount::ZERO));
    world.admission.sent(1, now);
    let (_, none) = world.admission.release(1, Ended::Sent, now);
    assert!(none.is_empty(), "{none:?}");
    let (_, settled) = world.admission.settle(1, &[Some(amount(1.0))], now);
    assert_eq!((settled[0].more, settled[0].less), (Amount::ZERO, amount(1.5)));
}

#[test]
fn a_key_has_a_pool_of_its_own() {
    let mut world = World::new(&[("tenant", size(1.0))]);
    assert_eq!(world.ask(1, "a 0 tenant/x=1"), "1");
    assert_eq!(world.ask(2, "a 0 tenant/y=1"), "2");
    assert_eq!(world.ask(3, "a 0 tenant/x=1"), "");
    assert_eq!(world.end(2), "");
    assert_eq!(world.view("tenant/y"), None, "a key that nobody uses leaves nothing");
    assert_eq!(world.end(1), "3");
}

#[test]
fn after_a_restart_calls_in_flight_hold_their_permits_again() {
    let mut world = World::new(&[("gpu", size(1.0)), ("spend", budget(10, WhenEmpty::Wait, None))]);
    let now = world.at();
    world.admission.restore(&pool("spend"), Timestamp::from_millis(0), Amount::units(9), Amount::ZERO);
    for id in [1, 2] {
        let wants = vec![Want { pool: pool("gpu"), amount: Amount::units(1), settles: false }];
        let request = Request { id, wants, priority: 0, share: Share::new("a") };
        world.admission.adopt(request, now, now);
    }
    assert_eq!(world.view("gpu").unwrap().used, Amount::units(2), "the file may have changed meanwhile");
    assert_eq!(world.ask(3, "a 0 gpu=1"), "");
    assert_eq!(world.end(1), "");
    assert_eq!(world.end(2), "3");
    assert_eq!(world.ask(4, "a 0 spend=1"), "4");
    assert_eq!(world.ask(5, "a 0 spend=1"), "");
}

#[test]
fn the_pools_of_a_run_are_its_own_and_go_with_it() {
    let mut world = World::new(&[]);
    let run = consort_types::RunId::from_uuid(uuid::Uuid::from_u128(7));
    let now = world.at();
    world.admission.declare(
        &name("shop"),
        Some(run),
        &name("tokens"),
        Some(budget(5, WhenEmpty::Fail, None)),
        now,
    );
    let key = PoolKey { run: Some(run), ..pool("tokens") };
    let mut ask = |id, key: &PoolKey| {
        let want = Want { pool: key.clone(), amount: Amount::units(5), settles: false };
        let request = Request { id, wants: vec![want], priority: 0, share: Share::new("a") };
        words(&world.admission.request(request, now))
    };
    assert_eq!(ask(1, &key), "1");
    assert_eq!(ask(2, &key), "!2");
    assert_eq!(ask(3, &pool("tokens")), "3", "another pool of that name");
    for id in [1, 3] {
        world.end(id);
    }
    assert_eq!(world.admission.pools(1, now).len(), 1);
    world.admission.end_run(&name("shop"), run, now);
    assert_eq!(world.admission.pools(1, now).len(), 0);
}

#[test]
fn a_hundred_thousand_who_wait_are_cheap_to_serve_and_to_take_back() {
    let mut world = World::new(&[("gpu", size(2.0)), ("other", size(1.0))]);
    for id in 0..100_000_u32 {
        world.ask(id, if id.is_multiple_of(2) { "even 0 gpu=1" } else { "odd 5 gpu=1" });
    }
    for id in (50_000..100_000).rev() {
        world.withdraw(id);
    }
    let mut running = vec![0, 1];
    let mut served = 0;
    while let Some(id) = running.pop() {
        served += 1;
        let next = world.end(id);
        running.extend(next.split_whitespace().map(|id| id.parse::<u32>().unwrap()));
    }
    assert_eq!(served, 50_000);
}
