//! The service `consort`: acts of the platform as calls of steps. They go to no replica; each is done once for
//! its `Idempotency-Key`, however often the call is made.

mod notify;
mod settled;

use crate::{
    apply,
    balancer::ServiceKey,
    catalog::Catalog,
    clock::Clock,
    revisions::Revisions,
    rolled_out::{RolledOut, applied_digest},
    sequencer::Inbox,
    services::{Reply, ServiceError, ServiceView, ServicesCommand, Views},
};
use consort_engine::Dispatch;
use consort_invoke::{Code, Failure, Invoker, Outcome, Reached};
use consort_store::{PageRequest, Reader, ServiceRevision, Write};
use consort_types::{ErrorKind, Json, Name, NameKind, RunError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, PoisonError},
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// The name of the service.
pub const SERVICE: &str = "consort";

/// How many revisions are searched for one that the same call made before: a call comes again within its
/// retries, and no service gets so many revisions meanwhile.
const REVISIONS_SEARCHED: usize = 100;

/// What the platform works with.
pub(crate) struct Platform {
    pub revisions: Revisions,
    pub services: mpsc::UnboundedSender<ServicesCommand>,
    pub views: Views,
    pub changes: watch::Receiver<u64>,
    pub inbox: Inbox,
    pub clock: Arc<dyn Clock>,
    pub invoker: Invoker,
    /// Where a command of a channel runs.
    pub data_dir: PathBuf,
    /// One apply or rollout at a time: each builds on what the one before it left.
    pub applying: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Deserialize)]
struct Rollout {
    service: String,
    #[serde(default)]
    environment: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
struct Rollback {
    service: String,
    #[serde(default)]
    to: Option<String>,
}

#[derive(Deserialize)]
struct Restart {
    service: String,
}

#[derive(Deserialize)]
struct Scale {
    service: String,
    replicas: i64,
}

type Acted = Result<Json, Box<Failure>>;

impl Platform {
    /// Does what a step asks for, within its timeout.
    pub async fn act(&self, namespace: &Name, call: &Dispatch, cancel: &CancellationToken) -> Outcome {
        let done = tokio::select! {
            biased;
            () = cancel.cancelled() => {
                Err(failure(RunError::new(Code::Cancelled.as_str(), ErrorKind::Cancelled, "the call was cancelled")))
            }
            done = tokio::time::timeout(call.timeout, self.operation(namespace, call)) => {
                done.unwrap_or_else(|_| Err(too_late(call)))
            }
        };
        match done {
            Ok(output) => Outcome::Succeeded(output),
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn operation(&self, namespace: &Name, call: &Dispatch) -> Acted {
        let (input, key) = (&call.input, call.idempotency_key.as_str());
        match call.operation.name.operation.as_str() {
            "rollout" => self.roll_out_for(namespace, read(input)?, key).await,
            "rollback" => {
                let Rollback { service, to } = read(input)?;
                let to = to.map(|to| number(&to)).transpose()?;
                let service = service_key(namespace, &service)?;
                let from = self.view(&service).map(|view| view.revision);
                let revision = self.roll_back(&service, to, Some(key)).await.map_err(refused)?;
                self.settled(&service, revision).await?;
                Ok(moved(revision, from.filter(|from| *from != revision)))
            }
            "restart" => {
                let service = service_key(namespace, &read::<Restart>(input)?.service)?;
                let act = Some(key.to_owned());
                let told =
                    self.tell(service.clone(), |reply| ServicesCommand::Restart(service.clone(), act, reply));
                let revision = told.await.map_err(refused)?;
                self.settled(&service, revision).await?;
                Ok(Json::of(&json!({ "revision": revision.to_string() })))
            }
            "scale" => {
                let Scale { service, replicas } = read(input)?;
                let service = service_key(namespace, &service)?;
                let wanted =
                    u32::try_from(replicas).ok().filter(|wanted| *wanted <= consort_fleet::REPLICAS_MAX);
                let wanted = wanted.ok_or_else(|| {
                    let most = consort_fleet::REPLICAS_MAX;
                    bad_input(format!("`replicas` is a number from 0 to {most}, and this is {replicas}"))
                })?;
                let told = self.tell(service.clone(), |reply| {
                    ServicesCommand::Scale(service.clone(), Some(wanted), reply)
                });
                told.await.map_err(refused)?;
                Ok(Json::of(&json!({ "replicas": wanted })))
            }
            "notify" => self.notify(namespace, call).await,
            other => Err(bad_input(format!("the service `consort` has no operation `{other}`"))),
        }
    }

    /// Goes back to a revision of a service; none: to the one before. `act`: the key of the call.
    pub async fn roll_back(
        &self,
        key: &ServiceKey,
        to: Option<u64>,
        act: Option<&str>,
    ) -> Result<u64, ServiceError> {
        let view = self.view(key).ok_or_else(|| ServiceError::NoSuchService(key.service.clone()))?;
        let none = || ServiceError::NotPossible(consort_fleet::Error::NoPrevious.to_string());
        let spec = self.revisions.at(key, to.or(view.previous_revision).ok_or_else(none)?)?;
        let act = act.map(str::to_owned);
        self.tell(key.clone(), |reply| ServicesCommand::Rollback(key.clone(), Box::new(spec), act, reply))
            .await
    }

    /// Tells the services loop, and waits until what it did is kept.
    pub async fn tell(
        &self,
        key: ServiceKey,
        command: impl FnOnce(Reply) -> ServicesCommand,
    ) -> Result<u64, ServiceError> {
        let (reply, answer) = oneshot::channel();
        let _ = self.services.send(command(reply));
        answer.await.unwrap_or(Err(ServiceError::NoSuchService(key.service)))
    }

    /// Makes a revision with variables over those of the file, unless this call made it before, and waits
    /// until it has proved itself.
    async fn roll_out_for(&self, namespace: &Name, rollout: Rollout, call: &str) -> Acted {
        let key = service_key(namespace, &rollout.service)?;
        let view =
            self.view(&key).ok_or_else(|| refused(ServiceError::NoSuchService(key.service.clone())))?;
        let one_at_a_time = self.applying.lock().await;
        let newest = self.newest_revisions(&key).map_err(refused)?;
        let made = newest
            .iter()
            .find_map(|it| RolledOut::of(it).filter(|it| it.key == call).map(|made| (it.number, made)));
        let (number, made) = match made {
            Some(made) => made,
            None => {
                let environment = variables(rollout.environment.unwrap_or_default());
                let definition = newest.first().map(applied_digest);
                let definition =
                    definition.ok_or_else(|| refused(ServiceError::NoSuchService(key.service.clone())))?;
                let previous = Some(view.revision);
                let made = RolledOut { definition, environment, key: call.to_owned(), previous };
                let number = newest.first().map_or(1, |newest| newest.number + 1);
                self.keep(&key, number, &made).await?;
                (number, made)
            }
        };
        let current = self.catalog().deployed(namespace.as_str());
        if current.and_then(|it| it.services.get(key.service.as_str()).copied()) != Some(number) {
            return Err(superseded(&key, number));
        }
        let spec = self.revisions.at(&key, number).map_err(refused)?;
        let told =
            self.tell(key.clone(), |reply| ServicesCommand::Rollout(key.clone(), Box::new(spec), reply));
        told.await.map_err(refused)?;
        drop(one_at_a_time);
        self.settled(&key, number).await?;
        Ok(moved(number, made.previous))
    }

    /// Commits the revision and makes it the one that is deployed from now on.
    async fn keep(&self, key: &ServiceKey, number: u64, made: &RolledOut) -> Result<(), Box<Failure>> {
        let gone = || refused(ServiceError::NoSuchService(key.service.clone()));
        let deployed = self.catalog().deployed(key.namespace.as_str()).ok_or_else(gone)?;
        if !deployed.services.contains_key(key.service.as_str()) {
            return Err(gone());
        }
        let revision = ServiceRevision {
            namespace: key.namespace.clone(),
            name: key.service.clone(),
            number,
            digest: made.digest(),
            project_sequence: deployed.sequence,
            applied_at: self.clock.now(),
            document: made.document(),
        };
        let committed = apply::write(vec![Write::PutService(Box::new(revision))], &self.inbox).await;
        committed.map_err(|_| refused(ServiceError::NotPossible("the server is about to end".to_owned())))?;
        let mut then = (*deployed).clone();
        then.services.insert(key.service.clone(), number);
        then.rolled_out.insert(key.service.clone(), made.clone());
        self.catalog().set(key.namespace.clone(), then);
        Ok(())
    }

    fn newest_revisions(&self, key: &ServiceKey) -> Result<Vec<ServiceRevision>, ServiceError> {
        let page = PageRequest::first(REVISIONS_SEARCHED);
        let found = self.reader().service_revisions(key.namespace.as_str(), key.service.as_str(), &page);
        found.map(|page| page.items).map_err(|error| ServiceError::NotPossible(error.to_string()))
    }

    fn view(&self, key: &ServiceKey) -> Option<ServiceView> {
        self.views.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn catalog(&self) -> &Catalog {
        &self.revisions.catalog
    }

    fn reader(&self) -> &dyn Reader {
        &*self.revisions.reader
    }
}

fn service_key(namespace: &Name, service: &str) -> Result<ServiceKey, Box<Failure>> {
    let service = Name::new(service, NameKind::Kebab)
        .map_err(|_| bad_input(format!("there is no service `{service}`")))?;
    Ok(ServiceKey { namespace: namespace.clone(), service })
}

/// Values as a process takes them; null leaves the variable of the file as it is.
fn variables(values: BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let given = values.into_iter().filter(|(_, value)| !value.is_null());
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    given.map(|(name, value)| (name, text(value))).collect()
}

fn number(text: &str) -> Result<u64, Box<Failure>> {
    text.parse().map_err(|_| bad_input(format!("{text:?} is not the number of a revision")))
}

fn moved(revision: u64, previous: Option<u64>) -> Json {
    let previous = previous.map(|previous| previous.to_string());
    Json::of(&json!({ "revision": revision.to_string(), "previous": previous }))
}

fn read<T: serde::de::DeserializeOwned>(input: &Json) -> Result<T, Box<Failure>> {
    input.read().map_err(|error| bad_input(error.to_string()))
}

fn failure(error: RunError) -> Box<Failure> {
    Box::new(Failure { error, retry_after: None, reached: Reached::Maybe })
}

fn bad_input(message: String) -> Box<Failure> {
    failure(RunError::new("E_PLATFORM_INPUT", ErrorKind::InvalidInput, message))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn refused(error: ServiceError) -> Box<Failure> {
    failure(RunError::new("E_PLATFORM_ACT", ErrorKind::Operation, error.to_string()))
}

fn superseded(key: &ServiceKey, revision: u64) -> Box<Failure> {
    let message =
        format!("revision {revision} of `{}` is not wanted any more: another came after it", key.service);
    failure(RunError::new("E_SUPERSEDED", ErrorKind::Operation, message))
}

fn too_late(call: &Dispatch) -> Box<Failure> {
    let limit = consort_types::format_duration(call.timeout);
    let message = format!("`{}` was not done within {limit}", call.operation.name);
    failure(RunError::new(Code::Timeout.as_str(), ErrorKind::Timeout, message).retryable())
}
