//! The HTTP face of a node: routes, OpenAPI, policy, live streams, and the page in the browser.
//!
//! One file for each noun of the routes. A handler reads a request of `consort-wire`, asks the node, and
//! answers in types of `consort-wire` again; `convert` is the only place where the two meet. This crate must
//! never know a store or an engine from the inside, and never decides what the node should.
//!
//! Every refusal is a [`consort_wire::Problem`] with a stable code, whoever refused: a handler, an extractor,
//! the policy, or a panic. Start reading at [`router`], then `runs.rs`; `policy.rs` says who may come in.

mod apply;
mod artifacts;
mod attempts;
mod codes;
mod context;
mod convert;
mod echo;
mod events;
mod extract;
mod feed;
mod health;
mod history;
mod json;
mod namespaces;
mod openapi;
mod page;
mod people;
mod policy;
mod pools;
mod problem;
mod run_logs;
mod runs;
mod serve;
mod service_logs;
mod services;
mod sse;
mod starts;
mod steps;
mod ui;
mod workflows;

pub use codes::{ALL as ERROR_CODES, Code};
pub use echo::serve_echo;
pub use openapi::openapi;
pub use serve::serve;

use axum::{Router, middleware};
use consort_artifacts::Artifacts;
use consort_node::Node;
use consort_runtime_process::Sources;
use context::Context;
use std::{net::SocketAddr, sync::Arc};
use tower_http::catch_panic::CatchPanicLayer;

/// What the routes work with.
pub struct ApiOptions {
    /// The node that answers.
    pub node: Arc<Node>,
    /// Where artifacts are kept.
    pub artifacts: Arc<Artifacts>,
    /// Where sources of services are kept.
    pub sources: Sources,
    /// Where the server listens: what `Host` must name, and what the addresses of artifacts begin with.
    pub local_address: SocketAddr,
    /// The version of the program.
    pub version: &'static str,
}

/// All routes, the page of the browser and `/openapi.json` among them, behind the policy.
pub fn router(options: ApiOptions) -> Router {
    let context = Arc::new(Context::new(options));
    let (routes, _) = openapi::routes().split_for_parts();
    // The last layer is the first to see a request: problems are written outside of everything else.
    routes
        .fallback(ui::fallback)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::from_fn_with_state(context.clone(), policy::check))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(middleware::from_fn(problem::render))
        .with_state(context)
}
