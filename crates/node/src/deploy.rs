//! What people ask of services: direct calls, and acts by hand.

use crate::{
    balancer::ServiceKey,
    dispatcher::{DIRECT_CALL_MAX, DirectCall, Dispatcher},
    node::Node,
    services::{ServiceError, ServicesCommand},
    stats::CallStats,
};
use consort_invoke::Outcome;
use consort_types::{FieldError, Json, Name};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Why a direct call was not made.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No such service.
    #[error("there is no service `{0}`")]
    NoSuchService(String),
    /// The service has no such operation.
    #[error("the service `{0}` has no operation `{1}`")]
    NoSuchOperation(String, String),
    /// An operation of the document that cannot be called from here.
    #[error("`{0}.{1}` cannot be called: {2}")]
    LeftOut(String, String, String),
    /// The input does not fit.
    #[error("the input does not fit the operation's schema")]
    InvalidInput(Vec<FieldError>),
    /// The output does not fit.
    #[error("the output does not fit the operation's schema")]
    InvalidOutput(Vec<FieldError>),
    /// Too many calls wait.
    #[error("too many calls wait for `{0}`")]
    TooMany(String),
    /// No answer within the longest time that a caller may wait.
    #[error("no answer within {} s", DIRECT_CALL_MAX.as_secs())]
    TooLate,
}

/// A caller from outside that is gone waits no more.
struct Leaves {
    dispatcher: Arc<Dispatcher>,
    key: ServiceKey,
    id: u64,
}

impl Drop for Leaves {
    fn drop(&mut self) {
        self.dispatcher.leave(&self.key, self.id);
    }
}

impl Node {
    /// Calls an operation for somebody outside: load-balanced, checked, from zero replicas if need be.
    /// Dropping the future cuts the call.
    ///
    /// # Errors
    /// When there is no such operation, or input or output do not fit.
    pub async fn call(
        &self,
        namespace: &Name,
        service: &str,
        operation: &str,
        input: &Json,
        idempotency_key: String,
    ) -> Result<Outcome, CallError> {
        let deployed = self.catalog.deployed(namespace.as_str());
        let definition = deployed.as_ref().and_then(|deployed| deployed.project.services.get(service));
        let definition = definition.ok_or_else(|| CallError::NoSuchService(service.to_owned()))?;
        let found = definition.operations.get(operation).cloned();
        let operation = found.ok_or_else(|| match definition.left_out.get(operation) {
            Some(why) => CallError::LeftOut(service.to_owned(), operation.to_owned(), why.clone()),
            None => CallError::NoSuchOperation(service.to_owned(), operation.to_owned()),
        })?;
        let input = operation.input.check(input).map_err(CallError::InvalidInput)?;
        let key = ServiceKey { namespace: namespace.clone(), service: definition.name.clone() };
        let (reply, answer) = oneshot::channel();
        let cancel = CancellationToken::new();
        let _cut_on_drop = cancel.clone().drop_guard();
        let id = self.dispatcher.next_direct();
        let _leave_on_drop = Leaves { dispatcher: self.dispatcher.clone(), key: key.clone(), id };
        let call = DirectCall { id, operation: operation.clone(), input, idempotency_key, reply, cancel };
        self.dispatcher.call(&key, call).map_err(|_| CallError::TooMany(service.to_owned()))?;
        let outcome = tokio::time::timeout(DIRECT_CALL_MAX, answer).await;
        let outcome = outcome.map_err(|_| CallError::TooLate)?.map_err(|_| CallError::TooLate)?;
        match outcome {
            Outcome::Succeeded(output) => {
                operation.output.check(&output).map(Outcome::Succeeded).map_err(CallError::InvalidOutput)
            }
            other => Ok(other),
        }
    }

    /// How calls of a service have gone since the server started, by operation.
    pub fn call_stats(&self, key: &ServiceKey) -> BTreeMap<String, CallStats> {
        self.dispatcher.stats.of(key)
    }

    /// Sets the number of replicas by hand; none: as the file says.
    ///
    /// # Errors
    /// When there is no such service, or it has no replicas.
    pub async fn scale(&self, key: ServiceKey, replicas: Option<u32>) -> Result<(), ServiceError> {
        self.platform
            .tell(key.clone(), |reply| ServicesCommand::Scale(key, replicas, reply))
            .await
            .map(|_| ())
    }

    /// Replaces the replicas one by one.
    ///
    /// # Errors
    /// When there is no such service, or it has no replicas.
    pub async fn restart(&self, key: ServiceKey) -> Result<(), ServiceError> {
        self.platform.tell(key.clone(), |reply| ServicesCommand::Restart(key, None, reply)).await.map(|_| ())
    }

    /// Goes back to a revision of a service; none: to the one before.
    ///
    /// # Errors
    /// When there is no such service or revision.
    pub async fn roll_back(&self, key: ServiceKey, to: Option<u64>) -> Result<(), ServiceError> {
        self.platform.roll_back(&key, to, None).await.map(|_| ())
    }
}
