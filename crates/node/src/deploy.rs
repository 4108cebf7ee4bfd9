//! From definitions to what the services loop needs: environments, secrets, headers. And direct calls.

use crate::{
    balancer::ServiceKey,
    catalog::{Deployed, ServiceThen},
    dispatcher::{DIRECT_CALL_MAX, DirectCall, Dispatcher},
    node::Node,
    services::{Reply, ServiceError, ServiceSpec, ServicesCommand},
};
use consort_invoke::Outcome;
use consort_runtime_process::parse_env_file;
use consort_spec::definition::{Project, SecretSource, Service};
use consort_types::{FieldError, Json, Name};
use std::{path::Path, sync::Arc};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// All services of a namespace, ready to be deployed.
pub(crate) fn specs(namespace: &Name, deployed: &Deployed, root: Option<&Path>) -> Vec<ServiceSpec> {
    let services = deployed.project.services.values();
    services
        .map(|service| {
            let key = ServiceKey { namespace: namespace.clone(), service: service.name.clone() };
            let revision = deployed.services.get(service.name.as_str()).copied().unwrap_or(1);
            spec(key, service.clone(), revision, deployed, root)
        })
        .collect()
}

fn spec(
    key: ServiceKey,
    definition: Arc<Service>,
    revision: u64,
    deployed: &Deployed,
    root: Option<&Path>,
) -> ServiceSpec {
    let mut problem = None;
    let environment = environment(&definition, deployed).unwrap_or_else(|error| {
        problem = Some(error);
        Vec::new()
    });
    let mut secrets = Vec::new();
    for name in &definition.secrets {
        match secret(&deployed.project, name, root) {
            Ok(value) => secrets.push((name.as_str().to_uppercase(), value)),
            Err(error) => problem = Some(error),
        }
    }
    let headers = headers(&definition, &deployed.project, root).unwrap_or_else(|error| {
        problem = Some(error);
        Vec::new()
    });
    let source = deployed.sources.get(definition.name.as_str()).copied();
    ServiceSpec { key, definition, revision, source, environment, secrets, headers, problem }
}

/// `env_file`, then `environment` on top.
fn environment(service: &Service, deployed: &Deployed) -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::new();
    if let Some(path) = &service.env_file {
        let file = deployed.files.iter().find(|file| Path::new(&file.path) == path.as_path());
        let file = file.ok_or_else(|| format!("env_file {} was not sent", path.display()))?;
        variables = parse_env_file(&file.text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    variables.extend(service.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(variables)
}

fn secret(project: &Project, name: &Name, root: Option<&Path>) -> Result<String, String> {
    let secret = project.secrets.get(name.as_str()).ok_or_else(|| format!("there is no secret `{name}`"))?;
    match &secret.source {
        SecretSource::Environment(variable) => std::env::var(variable).map_err(|_| {
            format!("the secret `{name}` needs the variable {variable}, which the server does not have")
        }),
        SecretSource::File(path) => {
            let root = root.ok_or_else(|| {
                format!("the secret `{name}` is a file, which only `consort dev` can read: use a variable")
            })?;
            let text = std::fs::read_to_string(root.join(path))
                .map_err(|error| format!("the secret `{name}` cannot be read: {error}"))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}

/// Headers of a `url` service, with `${secrets.name}` filled in.
fn headers(
    service: &Service,
    project: &Project,
    root: Option<&Path>,
) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    for (name, value) in &service.headers {
        let mut text = value.clone();
        for secret_name in project.secrets.keys() {
            let hole = format!("${{secrets.{secret_name}}}");
            if text.contains(&hole) {
                text = text.replace(&hole, &secret(project, secret_name, root)?);
            }
        }
        headers.push((name.clone(), text));
    }
    Ok(headers)
}

/// Why a direct call was not made.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No such service.
    #[error("there is no service `{0}`")]
    NoSuchService(String),
    /// The service has no such operation.
    #[error("the service `{0}` has no operation `{1}`")]
    NoSuchOperation(String, String),
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
        let operation =
            found.ok_or_else(|| CallError::NoSuchOperation(service.to_owned(), operation.to_owned()))?;
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

    /// Sets the number of replicas by hand; none: as the file says.
    ///
    /// # Errors
    /// When there is no such service, or it has no replicas.
    pub async fn scale(&self, key: ServiceKey, replicas: Option<u32>) -> Result<(), ServiceError> {
        self.tell_services(key.clone(), |reply| ServicesCommand::Scale(key, replicas, reply)).await
    }

    /// Replaces the replicas one by one.
    ///
    /// # Errors
    /// When there is no such service, or it has no replicas.
    pub async fn restart(&self, key: ServiceKey) -> Result<(), ServiceError> {
        self.tell_services(key.clone(), |reply| ServicesCommand::Restart(key, reply)).await
    }

    /// Goes back to a revision of a service; none: to the one before.
    ///
    /// # Errors
    /// When there is no such service or revision.
    pub async fn roll_back(&self, key: ServiceKey, to: Option<u64>) -> Result<(), ServiceError> {
        let spec = match to {
            Some(number) => Some(Box::new(self.spec_of_revision(&key, number)?)),
            None => None,
        };
        self.tell_services(key.clone(), |reply| ServicesCommand::Rollback(key, spec, reply)).await
    }

    fn spec_of_revision(&self, key: &ServiceKey, number: u64) -> Result<ServiceSpec, ServiceError> {
        let missing = || ServiceError::NotPossible(format!("`{}` has no revision {number}", key.service));
        let failed = |error: consort_store::Error| ServiceError::NotPossible(error.to_string());
        let stored = self
            .reader
            .service_revision(key.namespace.as_str(), key.service.as_str(), number)
            .map_err(failed)?;
        let sequence = stored.ok_or_else(missing)?.project_sequence;
        let at = self.catalog.service_at(&key.namespace, &key.service, sequence).map_err(failed)?;
        let ServiceThen { definition, source, files } = at.ok_or_else(missing)?;
        let current = self.catalog.deployed(key.namespace.as_str()).ok_or_else(missing)?;
        let mut then = (*current).clone();
        then.files = files;
        then.sources.extend(source.map(|source| (key.service.to_string(), source)));
        Ok(spec(key.clone(), definition, number, &then, self.secrets_root.as_deref()))
    }

    async fn tell_services(
        &self,
        key: ServiceKey,
        command: impl FnOnce(Reply) -> ServicesCommand,
    ) -> Result<(), ServiceError> {
        let (reply, answer) = oneshot::channel();
        let _ = self.services.send(command(reply));
        answer.await.unwrap_or(Err(ServiceError::NoSuchService(key.service)))
    }
}
