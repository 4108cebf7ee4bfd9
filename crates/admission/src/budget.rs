//! What is left of a budget.

use crate::limits::{Budget, Period};
use consort_types::{Amount, Timestamp};

#[derive(Debug, Clone, Default)]
pub(crate) struct Purse {
    /// Start of the period that this is about.
    pub period: i64,
    /// Taken in it.
    pub spent: Amount,
    /// Given by hand on top of what the file says, for this period.
    pub added: Amount,
    /// Requests that may still give some of it back.
    pub unsettled: u32,
}

impl Purse {
    /// Begins a new period when the old one is over.
    pub fn advance(&mut self, budget: &Budget, now: Timestamp) {
        let Period { start, .. } = budget.period(now);
        if start.as_millis() > self.period {
            self.period = start.as_millis();
            (self.spent, self.added) = (Amount::ZERO, Amount::ZERO);
        }
    }

    /// How much there is in this period, spent or not.
    pub fn total(&self, budget: &Budget) -> Amount {
        budget.amount.plus(self.added)
    }

    /// Whether so much more fits.
    pub fn fits(&self, budget: &Budget, amount: Amount) -> bool {
        self.spent.plus(amount) <= self.total(budget)
    }
}
