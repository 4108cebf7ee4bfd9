//! The loops that make a server: sequencer, committer, dispatcher, timers, services, logs.
//!
//! Three verbs in a fixed order: **decide** (the engine, called by the sequencer), **commit** (the committer),
//! **act** (dispatcher, timers, replies). Data travels one way round; recovery feeds the same loop. What
//! must never be here: SQL, HTTP routes, the API's JSON names, a decision that the pure crates should take.
//!
//! Start reading at [`Node::start`], then `sequencer.rs`.

mod admissions;
mod apply;
mod balancer;
mod cache;
mod catalog;
mod clock;
mod committer;
mod deploy;
mod dispatcher;
mod events;
mod fail_points;
mod feed;
mod health;
mod large;
mod line;
mod logs;
mod node;
mod people;
mod permits;
mod platform;
mod queries;
mod record;
mod replica_logs;
mod reruns;
mod reserve;
mod retention;
mod revisions;
mod rolled_out;
mod runs;
mod sequencer;
mod services;
mod starts;
mod stats;
mod timers;

pub use apply::{Action, Applied, ApplyError, ApplyRequest, Change, ChangeKind};
pub use balancer::ServiceKey;
pub use catalog::{CurrentWorkflow, Deployed};
pub use clock::{Clock, SystemClock};
pub use consort_admission::WhenEmpty;
pub use deploy::CallError;
pub use events::PostEventsError;
pub use feed::{Feed, FeedData, FeedEvent, Subscription};
pub use node::{DryRun, Node, Options, StartupError};
pub use people::{OpenIncident, OpenQuestion, Placed};
pub use permits::{CallPlace, PermitHolder, PermitWaiter, PoolState};
pub use queries::{QueryError, StepsPage};
pub use record::{Pass, RunRecord};
pub use reruns::{Clean, RerunBody, RerunRunError};
pub use retention::KEEP_RUNS_DEFAULT;
pub use runs::LoadError;
pub use sequencer::{CommandError, PostedEvent, StartError, Started};
pub use services::{PastReplica, ReplicaView, ServiceError, ServiceView};
pub use starts::{StartRequestBody, StartRunError};
pub use stats::CallStats;

pub use consort_engine::gates::{GateKey, Rule};
pub use consort_engine::{
    AttemptResult, Cached, Command, Miss, ProgressNote, Reading, Rejected, RerunError, StepRef, StepView,
    history::HistoryEntry,
};
pub use consort_events::Event;
pub use consort_fleet::{ReplicaState, RolloutState, ServiceState};
pub use consort_invoke::{Failure, Outcome};
pub use consort_spec::{Problem, Severity};
pub use consort_store::{
    EventFilter, LogFilter, LogLine, LogPage, LogStream, Page, PageRequest, ProjectFile, RunFilter,
    StoredEvent,
};
pub use consort_types::AttemptToken;
