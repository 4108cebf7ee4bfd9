//! Pools.

use consort_node::{PermitHolder, PermitWaiter, PoolState, WhenEmpty};
use consort_wire as wire;

/// A pool as it stands.
pub fn pool(state: PoolState) -> wire::Pool {
    let PoolState { pool, size, used, rate, budget, holders, holder_count, waiters, waiter_count } = state;
    wire::Pool {
        namespace: pool.namespace.to_string(),
        name: pool.name.to_string(),
        key: pool.key,
        run: pool.run,
        size,
        used,
        rate: rate.map(|rate| wire::PoolRate { count: rate.count, per_ms: rate.per_ms, used: rate.used }),
        budget: budget.map(|budget| wire::PoolBudget {
            total: budget.total,
            added: budget.added,
            spent: budget.spent,
            left: budget.total.minus(budget.spent),
            when_empty: match budget.when_empty {
                WhenEmpty::Wait => wire::WhenEmpty::Wait,
                WhenEmpty::Pause => wire::WhenEmpty::Pause,
                WhenEmpty::Fail => wire::WhenEmpty::Fail,
            },
            resets_at: budget.resets_at,
        }),
        holders: holders.into_iter().map(holder).collect(),
        holder_count,
        waiters: waiters.into_iter().map(waiter).collect(),
        waiter_count,
    }
}

fn holder(holder: PermitHolder) -> wire::PoolHolder {
    let PermitHolder { call, amount, since } = holder;
    wire::PoolHolder {
        run: call.run,
        workflow: call.workflow.map(|workflow| workflow.to_string()),
        step: call.step,
        service: call.service.service.to_string(),
        amount,
        since,
    }
}

fn waiter(waiter: PermitWaiter) -> wire::PoolWaiter {
    let PermitWaiter { call, amount, since, ahead } = waiter;
    wire::PoolWaiter {
        run: call.run,
        workflow: call.workflow.map(|workflow| workflow.to_string()),
        step: call.step,
        service: call.service.service.to_string(),
        amount,
        since,
        ahead,
    }
}
