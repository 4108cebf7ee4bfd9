//! Pools: what they give, who holds what of them, who waits.

use consort_types::{Amount, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A pool as it stands now. Of a pool with a `key` there is one for each value that is in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pool {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The value of its key; null for a pool without one.
    pub key: Option<String>,
    /// The run that has it for itself; null for a pool of the project.
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
    /// Permits in all; null when any number may be held at once.
    #[schema(value_type = Option<f64>)]
    pub size: Option<Amount>,
    /// Permits held.
    #[schema(value_type = f64)]
    pub used: Amount,
    /// How much it gives in a time.
    pub rate: Option<PoolRate>,
    /// How much it gives in all.
    pub budget: Option<PoolBudget>,
    /// Calls that hold permits, the first hundred.
    pub holders: Vec<PoolHolder>,
    /// How many calls hold permits.
    pub holder_count: u64,
    /// Calls that wait for it, the first hundred.
    pub waiters: Vec<PoolWaiter>,
    /// How many calls wait for it.
    pub waiter_count: u64,
}

/// How much a pool gives in any time of a length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PoolRate {
    /// How much.
    #[schema(value_type = f64)]
    pub count: Amount,
    /// In how many milliseconds.
    pub per_ms: u64,
    /// Given within the last so many milliseconds.
    #[schema(value_type = f64)]
    pub used: Amount,
}

/// How much a pool gives until its next reset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PoolBudget {
    /// How much in all, what was added by hand included.
    #[schema(value_type = f64)]
    pub total: Amount,
    /// Added by hand until the next reset.
    #[schema(value_type = f64)]
    pub added: Amount,
    /// Spent.
    #[schema(value_type = f64)]
    pub spent: Amount,
    /// Left.
    #[schema(value_type = f64)]
    pub left: Amount,
    /// What becomes of calls that find it used up.
    pub when_empty: WhenEmpty,
    /// When it is full again; null: never by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resets_at: Option<Timestamp>,
}

/// What becomes of calls that find a budget used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenEmpty {
    /// They wait.
    Wait,
    /// Their run pauses and asks a person.
    Pause,
    /// They fail.
    Fail,
}

/// A call that holds permits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PoolHolder {
    /// Its run; null for a call from outside.
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
    /// The workflow of that run.
    pub workflow: Option<String>,
    /// Key of its step; of a call from outside, the operation.
    pub step: String,
    /// The service that is called.
    pub service: String,
    /// How much it holds.
    #[schema(value_type = f64)]
    pub amount: Amount,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// A call that waits for permits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PoolWaiter {
    /// Its run; null for a call from outside.
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
    /// The workflow of that run.
    pub workflow: Option<String>,
    /// Key of its step; of a call from outside, the operation.
    pub step: String,
    /// The service that is called.
    pub service: String,
    /// How much it wants.
    #[schema(value_type = f64)]
    pub amount: Amount,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// About how many go before it.
    pub ahead: u64,
}

/// What `POST /pools/{pool}/add` takes: more for a budget, until its next reset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddToBudget {
    /// How much; over 0.
    #[schema(value_type = f64)]
    pub amount: Amount,
    /// Which of the pools of that name, where it has a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The run, for a pool that each run has for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub run: Option<RunId>,
}
