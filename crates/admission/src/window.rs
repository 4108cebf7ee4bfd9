//! A rate, exactly: a log of what was sent within the last period.
//!
//! A "sliding window log" (Nikrad Mahdi, "An alternative approach to rate limiting", Figma, 2017). A token bucket
//! of the same rate would let twice the number through in one period, right after it was full; a provider that
//! counts by the minute would refuse the second half.

use crate::limits::Rate;
use consort_types::{Amount, Timestamp};
use std::collections::VecDeque;

/// What was sent within one part of so many of the period is kept as one: the log stays small, and a part counts
/// until its latest moment is over, so that merging can only make the rate a little stricter.
const PARTS_OF_PERIOD: i64 = 256;

#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    sent: VecDeque<Part>,
    in_window: Amount,
    /// Taken and not sent yet: counts until it is sent, and for a period from then.
    pub pending: Amount,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    from: i64,
    to: i64,
    amount: Amount,
}

impl Window {
    /// Forgets what is over.
    pub fn advance(&mut self, rate: &Rate, now: Timestamp) {
        let per = per_ms(rate);
        // A millisecond more: times are cut to whole ones.
        while self.sent.front().is_some_and(|part| part.to.saturating_add(per) < now.as_millis()) {
            if let Some(part) = self.sent.pop_front() {
                self.in_window = self.in_window.minus(part.amount);
            }
        }
    }

    /// How much counts now, of what was sent and what will be.
    pub fn used(&self) -> Amount {
        self.in_window.plus(self.pending)
    }

    /// Something was sent.
    pub fn send(&mut self, rate: &Rate, amount: Amount, now: Timestamp) {
        let at = now.as_millis();
        self.in_window = self.in_window.plus(amount);
        let width = per_ms(rate) / PARTS_OF_PERIOD;
        match self.sent.back_mut() {
            // Time never runs backwards here; a clock that does is taken to stand.
            Some(last) if at <= last.from.saturating_add(width) || at <= last.to => {
                last.to = last.to.max(at);
                last.amount = last.amount.plus(amount);
            }
            _ => self.sent.push_back(Part { from: at, to: at, amount }),
        }
    }

    /// What was sent at a time was less than was thought.
    pub fn give_back(&mut self, amount: Amount, sent_at: Timestamp) {
        let position = self.sent.partition_point(|part| part.to < sent_at.as_millis());
        // What was sent before the parts that are left counts no more anyway.
        if let Some(part) = self.sent.get_mut(position).filter(|part| part.from <= sent_at.as_millis()) {
            let back = if amount < part.amount { amount } else { part.amount };
            part.amount = part.amount.minus(back);
            self.in_window = self.in_window.minus(back);
        }
    }

    /// When so much more will fit; none while that depends on what was not sent yet.
    pub fn fits_at(&self, rate: &Rate, amount: Amount) -> Option<Timestamp> {
        let mut left = self.used().plus(amount);
        for part in &self.sent {
            if left <= rate.count {
                break;
            }
            left = left.minus(part.amount);
            if left <= rate.count {
                return Some(Timestamp::from_millis(part.to.saturating_add(per_ms(rate)).saturating_add(1)));
            }
        }
        None
    }

    /// Whether it says nothing.
    pub fn is_idle(&self) -> bool {
        self.used().is_zero()
    }
}

fn per_ms(rate: &Rate) -> i64 {
    i64::try_from(rate.per.as_millis()).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    const RATE: Rate = Rate { count: Amount::units(10), per: Duration::from_secs(1) };

    #[test]
    fn what_was_sent_counts_for_a_whole_period() {
        let mut window = Window::default();
        window.send(&RATE, Amount::units(10), at(500));
        assert_eq!(window.fits_at(&RATE, Amount::units(1)), Some(at(1_501)));
        window.advance(&RATE, at(1_500));
        assert_eq!(window.used(), Amount::units(10));
        window.advance(&RATE, at(1_501));
        assert!(window.is_idle());
    }

    #[test]
    fn what_is_not_sent_yet_counts_for_as_long_as_that_takes() {
        let mut window = Window { pending: Amount::units(10), ..Window::default() };
        assert_eq!(window.fits_at(&RATE, Amount::units(1)), None);
        window.advance(&RATE, at(1_000_000));
        assert_eq!(window.used(), Amount::units(10));
        window.pending = Amount::ZERO;
        assert!(window.is_idle());
    }

    #[test]
    fn a_long_log_is_kept_in_few_parts_that_never_end_early() {
        let mut window = Window::default();
        let rate = Rate { count: Amount::units(1_000_000), per: Duration::from_secs(60) };
        for ms in 0..60_000 {
            window.send(&rate, Amount::units(1), at(ms));
        }
        assert!(window.sent.len() <= PARTS_OF_PERIOD as usize + 1);
        window.advance(&rate, at(90_000));
        assert!(window.used() >= Amount::units(30_000), "{}", window.used());
        assert!(window.used() <= Amount::units(30_300), "{}", window.used());
    }

    #[test]
    fn less_than_was_thought_makes_room_for_what_is_left_of_the_period() {
        let mut window = Window::default();
        window.send(&RATE, Amount::units(4), at(0));
        window.send(&RATE, Amount::units(6), at(600));
        window.give_back(Amount::units(5), at(600));
        assert_eq!(window.used(), Amount::units(5));
        window.give_back(Amount::units(5), at(600));
        assert_eq!(window.used(), Amount::units(4), "not more than was sent");
    }
}
