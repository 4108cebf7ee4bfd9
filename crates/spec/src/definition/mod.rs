//! The typed internal form of a project: what the checker makes and everybody else reads.
//!
//! A definition is immutable and complete: names are resolved to ids, texts to durations, expressions are
//! parsed, dependencies are computed. Whoever holds one never needs the file again.

mod operation;
mod policy;
mod pool;
mod project;
mod service;
mod step;
mod workflow;

pub use crate::schema::{Schema, SchemaError};
pub use operation::{Call, Method, Operation, OperationRef};
pub use policy::{CleanFrom, Concurrency, OnFailure, Retry, Tolerate, WhenFull};
pub use pool::{Pool, PoolBudget, PoolOf, PoolRate, Reset, Use, WhenEmpty};
pub use project::{Declared, Project, Secret, SecretSource};
pub use service::{
    Command, HealthCheck, Probe, Resources, Restart, RollBackWhen, Rollout, Runs, Scale, Service, Strategy,
};
pub use step::{
    Await, AwaitKind, Body, Branch, Cache, Catch, Delivery, Extent, Fail, ForEach, KeyPart, Loop, OnTimeout,
    Scope, ScopeId, Step, StepId, Wait,
};
pub use workflow::Workflow;
