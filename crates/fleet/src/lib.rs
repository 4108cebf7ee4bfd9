//! The replicas of one service: what is wanted and what is seen become a plan.
//!
//! A [`Fleet`] is the memory of one service. Its owner tells it what is wanted ([`Fleet::apply`],
//! [`Fleet::scale`], [`Fleet::restart`], [`Fleet::rollback`], [`Fleet::remove`]) and, whenever something
//! changes or [`Plan::wake_at`] has come, what is seen ([`Fleet::decide`]). The [`Plan`] that comes back is to
//! be carried out before the next decision: a replica that was started is seen as [`ReplicaState::Starting`]
//! from then on, until its [`Exit`] is handed in, once.
//!
//! It must never know processes, containers, sockets, a clock or chance: time comes in as an argument, and
//! jitter follows from ids. Start reading at [`Fleet::decide`], then `place.rs` (which replicas come and go),
//! `scaler.rs` (how many), `rollout.rs` (whether a revision has proved itself), `backoff.rs` (when to try again).

mod backoff;
mod decide;
mod fleet;
mod observed;
mod place;
mod plan;
mod rollout;
mod roster;
mod rules;
mod scaler;
mod status;

pub use backoff::{BACKOFF_FIRST, BACKOFF_MAX, CLEAN_RUN};
pub use fleet::{Applied, Error, Fleet, Saved};
pub use observed::{Exit, Observed, Replica, ReplicaId, ReplicaState, Revision};
pub use plan::{Action, FleetEvent, Plan, Reason};
pub use rules::{REPLICAS_MAX, RestartRule, Rules, Strategy};
pub use status::{ReplicaCounts, RolloutState, RolloutStatus, ServiceState, Status};
