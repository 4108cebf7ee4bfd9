//! What was spent of the budgets of pools.

use consort_types::{Amount, Name, RunId, Timestamp};

/// Whose budget.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetKey {
    /// The namespace of the pool.
    pub namespace: Name,
    /// The run that has the pool for itself.
    pub run: Option<RunId>,
    /// The pool.
    pub pool: Name,
    /// Which of the pools of that name.
    pub key: Option<String>,
}

/// A change of what was spent of a budget, or was given on top of it.
///
/// A difference and not the sum: changes come from several places and may overtake each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetChange {
    /// Whose.
    pub budget: BudgetKey,
    /// The start of the period that it belongs to. A newer one than the stored begins from nothing; an older
    /// one changes nothing.
    pub period: Timestamp,
    /// More spent, in millionths; negative when something was given back.
    pub spent_parts: i64,
    /// More given on top, in millionths.
    pub added_parts: i64,
}

/// What was spent of a budget in its last period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetState {
    /// Whose.
    pub budget: BudgetKey,
    /// The start of the period.
    pub period: Timestamp,
    /// Spent in it.
    pub spent: Amount,
    /// Given on top for it.
    pub added: Amount,
}

impl BudgetState {
    /// A state of which nothing is known yet.
    pub fn new(budget: BudgetKey, period: Timestamp) -> Self {
        Self { budget, period, spent: Amount::ZERO, added: Amount::ZERO }
    }

    /// The state after a change. Never less than nothing.
    #[must_use]
    pub fn after(&self, change: &BudgetChange) -> Self {
        let (spent, added) = match change.period.cmp(&self.period) {
            std::cmp::Ordering::Less => return self.clone(),
            std::cmp::Ordering::Equal => (self.spent, self.added),
            std::cmp::Ordering::Greater => (Amount::ZERO, Amount::ZERO),
        };
        Self {
            budget: self.budget.clone(),
            period: change.period,
            spent: moved(spent, change.spent_parts),
            added: moved(added, change.added_parts),
        }
    }
}

fn moved(amount: Amount, parts: i64) -> Amount {
    Amount::from_parts(amount.parts().saturating_add_signed(parts))
}
