//! From trees to definitions: one file for each noun of the language.

mod body;
mod canonical;
mod children;
mod context;
mod cycles;
pub(crate) mod draft;
pub(crate) mod expression;
mod fields;
mod foreach;
mod operations;
mod platform;
mod policy;
mod pools;
mod project;
mod resolve;
mod sections;
mod services;
mod step;
mod triggers;
pub(crate) mod types;
mod workflow;

pub(crate) use context::Context;
pub(crate) use cycles::Moment;
pub(crate) use project::{Trees, project};
