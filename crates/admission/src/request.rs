//! A call that wants permits, and what becomes of it.

use crate::{
    limits::{Period, WhenEmpty},
    pool::PoolKey,
};
use consort_types::{Amount, Timestamp};
use std::{fmt, sync::Arc};

/// On whose account a request is: those of one share queue behind each other, those of several take turns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(Arc<str>);

impl Share {
    /// The share of a name: of a workflow, of a service.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// So much of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Of which.
    pub pool: PoolKey,
    /// How much; over 0.
    pub amount: Amount,
    /// Whether the true amount is told afterwards.
    pub settles: bool,
}

/// A call that wants permits.
#[derive(Debug, Clone)]
pub struct Request<Id> {
    /// Names it.
    pub id: Id,
    /// All of this or nothing. Of one pool once at most.
    pub wants: Vec<Want>,
    /// -100 to 100; higher first.
    pub priority: i32,
    /// On whose account.
    pub share: Share,
}

/// A change of what is spent of a budget. To be kept: it is told before what was granted for it may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// Of which pool.
    pub pool: PoolKey,
    /// In which of its periods.
    pub period: Period,
    /// More.
    pub more: Amount,
    /// Less.
    pub less: Amount,
}

/// Why a request cannot be granted, now or ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The pool can never give so much at once.
    TooMuch {
        /// Which pool.
        pool: PoolKey,
        /// What is wanted.
        wanted: Amount,
        /// What it has.
        most: Amount,
    },
    /// The budget is used up, and the file says not to wait.
    Empty {
        /// Of which pool.
        pool: PoolKey,
        /// What the file says.
        when_empty: WhenEmpty,
        /// What is wanted.
        wanted: Amount,
        /// What is left.
        left: Amount,
        /// Of how much.
        total: Amount,
        /// When it is full again by itself.
        until: Option<Timestamp>,
    },
    /// Too many keys of one pool are in use.
    TooManyKeys {
        /// Of which pool.
        pool: PoolKey,
        /// How many there may be.
        most: usize,
    },
}

/// What follows for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<Id> {
    /// It may start.
    Granted {
        /// Which.
        id: Id,
        /// What that spends.
        spends: Vec<Spend>,
    },
    /// It is gone.
    Refused {
        /// Which.
        id: Id,
        /// Why.
        why: Refusal,
    },
}
