//! Which call may start now: permits of pools, rates, budgets, priority, fair shares; and why the others wait.
//!
//! An [`Admission`] is the memory of all pools. Its owner tells it what there is ([`Admission::declare`]) and
//! what happens: a call wants permits ([`Admission::request`]), was sent, has ended, its true cost is known.
//! Each of these gives back the [`Decision`]s that follow from it at once, so that what is freed wakes who waits.
//!
//! A request takes all that it wants or nothing. It stands in the queue of one pool, the one that keeps it back,
//! so that a decision costs nothing for those who wait elsewhere, and the logarithm of its own queue. Who has had
//! its turn in each of its pools and found another one taken in the meantime keeps what it has found from then on,
//! ahead of the queues; with that, and because nobody overtakes the first in a queue, whoever wants much or many
//! gets through (`turn.rs` says why that cannot lock up).
//!
//! It must never know calls, runs, a clock or chance: time comes in as an argument. Start reading at
//! `admission.rs`, then `turn.rs` (who goes next), `queue.rs` (in which order), `pool.rs` (whether there is room).

mod admission;
mod budget;
mod limits;
mod pool;
mod queue;
mod request;
mod turn;
mod view;
mod window;

pub use admission::{Admission, Ended};
pub use limits::{Budget, Limits, Period, Rate, Reset, WhenEmpty};
pub use pool::PoolKey;
pub use request::{Decision, Refusal, Request, Share, Spend, Want};
pub use view::{BudgetView, HolderView, Lacks, PoolView, RateView, WaiterView, Why};
