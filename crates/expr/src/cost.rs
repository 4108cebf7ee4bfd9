//! The budget of one evaluation: steps and bytes, the same on every machine.

use crate::{EvalError, code, value};

/// Steps that every expression has. A step is a visit of a node, an item or a few hundred bytes: this many take
/// some tens of milliseconds, and the engine decides nothing else meanwhile.
pub const STEPS_BASE: u64 = 1_000_000;

/// Steps that each item of a list adds when a function or macro that is not itself inside of one walks it: a
/// long list may be walked with a rich body, walking it once for each of its items may not.
pub const STEPS_PER_ITEM: u64 = 100;

/// The budget never grows beyond this, however many lists are walked.
pub const STEPS_MAX: u64 = 50_000_000;

/// Bytes that the values made on the way may take together, freed ones included.
pub const BYTES_MAX: usize = 256 << 20;

/// Bytes of data that are looked through in one step.
const BYTES_PER_STEP: usize = 256;

/// Bytes that plain places (`a.b[0]`) may look through for nothing: that of the largest value a dozen times. A
/// place costs nothing to speak of; a thousand of them at the end of a large value would hold up a core.
const PLACE_BYTES_FREE: usize = 1 << 30;

/// What is left of the budget.
#[derive(Debug)]
pub(crate) struct Budget {
    spent: u64,
    allowed: u64,
    bytes: usize,
    places: usize,
    /// The pattern that came from the data and was compiled last.
    pub compiled: Option<(String, regex::Regex)>,
    /// How many macros are being walked around the present place.
    pub walks: u32,
}

impl Budget {
    pub fn new() -> Self {
        Self { spent: 0, allowed: STEPS_BASE, bytes: 0, places: 0, compiled: None, walks: 0 }
    }

    pub fn step(&mut self) -> Result<(), EvalError> {
        self.steps(1)
    }

    pub fn steps(&mut self, count: u64) -> Result<(), EvalError> {
        self.spent = self.spent.saturating_add(count);
        if self.spent > self.allowed {
            let message = format!("the expression takes more than its budget of {} steps", self.allowed);
            return Err(EvalError::new(code::COST, message));
        }
        Ok(())
    }

    /// One item of a list is walked.
    pub fn item(&mut self) -> Result<(), EvalError> {
        if self.walks == 0 {
            self.allowed = (self.allowed + STEPS_PER_ITEM).min(STEPS_MAX);
        }
        self.step()
    }

    /// So many bytes of data are looked through.
    pub fn look(&mut self, bytes: usize) -> Result<(), EvalError> {
        self.steps((bytes / BYTES_PER_STEP) as u64)
    }

    /// A place in the data is read, and so many bytes of it are looked through. Outside of macros this is free as
    /// far as it is bounded.
    pub fn place(&mut self, bytes: usize) -> Result<(), EvalError> {
        if self.walks > 0 {
            return self.look(bytes);
        }
        self.places = self.places.saturating_add(bytes);
        if self.places > PLACE_BYTES_FREE { self.look(bytes) } else { Ok(()) }
    }

    /// A value of so many bytes is about to be made.
    pub fn make(&mut self, bytes: usize) -> Result<(), EvalError> {
        if bytes > crate::VALUE_LEN_MAX {
            return Err(value::too_large());
        }
        self.bytes += bytes;
        if self.bytes > BYTES_MAX {
            let message = format!("the expression makes more than {} MiB of values", BYTES_MAX >> 20);
            return Err(EvalError::new(code::SIZE, message));
        }
        self.look(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_free_as_far_as_they_are_bounded() {
        let mut budget = Budget::new();
        let largest = crate::VALUE_LEN_MAX;
        for _ in 0..PLACE_BYTES_FREE / largest {
            budget.place(largest).expect("free");
        }
        assert_eq!(budget.spent, 0);
        let paid = (0..1_000).find_map(|_| budget.place(largest).err());
        assert_eq!(paid.map(|error| error.code), Some(code::COST));
    }

    #[test]
    fn a_budget_grows_by_the_outermost_walk_only_and_ends() {
        let mut budget = Budget::new();
        budget.item().expect("room");
        assert_eq!(budget.allowed, STEPS_BASE + STEPS_PER_ITEM);
        budget.walks = 1;
        budget.item().expect("room");
        assert_eq!(budget.allowed, STEPS_BASE + STEPS_PER_ITEM);
        budget.walks = 0;
        budget.allowed = STEPS_MAX;
        budget.item().expect("room");
        assert_eq!(budget.allowed, STEPS_MAX);
        assert!(budget.steps(u64::MAX).is_err(), "no count wraps");
    }
}
