//! Named capacities.

use consort_expr::{Expr, Template};
use consort_types::{Amount, Name};
use std::time::Duration;

/// A named capacity. At least one of its limits is set.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    /// Permits in all; none: no bound on how many at once.
    pub size: Option<Amount>,
    /// Permits in a time.
    pub rate: Option<PoolRate>,
    /// Permits in all until the next reset.
    pub budget: Option<PoolBudget>,
    /// There is one pool for each value of this; sees `input` and `run` of the run that uses it.
    pub key: Option<Template>,
}

/// So many in any time of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolRate {
    /// How many.
    pub count: Amount,
    /// In which time.
    pub per: Duration,
}

/// So many until the next reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolBudget {
    /// How many.
    pub amount: Amount,
    /// What becomes of a call that finds it used up.
    pub when_empty: WhenEmpty,
    /// When it is full again; none: never by itself.
    pub reset: Option<Reset>,
}

/// What becomes of a call that finds a budget used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenEmpty {
    /// It waits.
    #[default]
    Wait,
    /// Its run pauses and asks a person for more.
    Pause,
    /// It fails.
    Fail,
}

/// When a budget is full again, by the calendar of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// At each full hour.
    Hourly,
    /// At midnight.
    Daily,
    /// At midnight before Monday.
    Weekly,
    /// At midnight before the first of the month.
    Monthly,
}

impl Pool {
    /// The most that one call can ever get.
    pub fn most(&self) -> Option<Amount> {
        let rate = self.rate.map(|rate| rate.count);
        let budget = self.budget.map(|budget| budget.amount);
        self.size.into_iter().chain(rate).chain(budget).min()
    }
}

/// Permits of a pool that a call holds while it is in flight.
#[derive(Debug, Clone)]
pub struct Use {
    /// The pool.
    pub pool: Name,
    /// Where it is defined.
    pub of: PoolOf,
    /// The value of the pool's key, where it has one.
    pub key: Option<Template>,
    /// How many.
    pub take: Template,
    /// The true number, known afterwards; sees `output`.
    pub settle: Option<Expr>,
}

/// Where a pool is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolOf {
    /// In the project: all share it.
    Project,
    /// In the workflow, or one that runs it: each run at the top has its own, and its children share it.
    Run,
}
