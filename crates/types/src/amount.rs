//! How much of a pool: permits, tokens, bytes, money.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Parts of one: prices of a single call are small fractions.
const PARTS: u64 = 1_000_000;

/// A quantity of a pool, exact to a millionth, so that what was taken and given back adds up to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(u64);

/// A number that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is no amount: a number from 0 to {max}, of which a millionth is the smallest part", max = Amount::MAX)]
pub struct AmountError(pub f64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The most: some terabytes, when bytes are counted.
    pub const MAX: Self = Self(9_000_000_000_000 * PARTS);

    /// A whole number of units; the most when it is more than that.
    pub const fn units(units: u32) -> Self {
        Self(units as u64 * PARTS)
    }

    /// From a number. What is over 0 stays over 0, however small.
    ///
    /// # Errors
    /// When it is negative, not finite, or over [`Amount::MAX`].
    pub fn from_number(number: f64) -> Result<Self, AmountError> {
        let parts = number * PARTS as f64;
        if !parts.is_finite() || parts < 0.0 || parts > Self::MAX.0 as f64 {
            return Err(AmountError(number));
        }
        let rounded = parts.round() as u64;
        Ok(Self(if number > 0.0 { rounded.max(1) } else { 0 }))
    }

    /// From what [`Amount::parts`] gave.
    pub const fn from_parts(parts: u64) -> Self {
        Self(parts)
    }

    /// In millionths.
    pub const fn parts(self) -> u64 {
        self.0
    }

    /// As a number, for people and JSON.
    pub fn number(self) -> f64 {
        self.0 as f64 / PARTS as f64
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This and another.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This without another; nothing when that is more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / PARTS, self.0 % PARTS);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let part = format!("{part:06}");
        write!(f, "{whole}.{}", part.trim_end_matches('0'))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(PARTS) {
            serializer.serialize_u64(self.0 / PARTS)
        } else {
            serializer.serialize_f64(self.number())
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer)
            .and_then(|number| Self::from_number(number).map_err(serde::de::Error::custom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_add_up_exactly() {
        let tenth = Amount::from_number(0.1).unwrap();
        let sum = (0..10).fold(Amount::ZERO, |sum, _| sum.plus(tenth));
        assert_eq!(sum, Amount::units(1));
        assert_eq!((0..10).fold(sum, |left, _| left.minus(tenth)), Amount::ZERO);
    }

    #[test]
    fn what_is_over_nothing_never_becomes_nothing() {
        assert_eq!(Amount::from_number(1e-12).unwrap().parts(), 1);
        assert!(Amount::from_number(0.0).unwrap().is_zero());
    }

    #[test]
    fn numbers_that_are_no_amounts_are_refused() {
        for number in [-1.0, f64::NAN, f64::INFINITY, 1e300, -1e-9] {
            assert!(Amount::from_number(number).is_err(), "{number}");
        }
    }

    #[test]
    fn it_prints_as_people_write_it() {
        for (number, text) in [(2.0, "2"), (0.5, "0.5"), (1e-6, "0.000001"), (1234.25, "1234.25")] {
            assert_eq!(Amount::from_number(number).unwrap().to_string(), text);
            assert_eq!(
                serde_json::to_string(&Amount::from_number(number).unwrap()).unwrap(),
                if text == "0.000001" { "1e-6" } else { text }
            );
        }
    }
}
