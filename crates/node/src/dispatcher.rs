//! The dispatcher: sends calls to replicas as room allows, and their answers to the sequencer.
//!
//! There is no task that all calls go through: whoever makes room (an answer, a new replica) or brings a call
//! looks at once what can go. The state is one small lock, held for microseconds.

mod answers;
mod permits;

use crate::{
    admissions::{Admissions, AttemptPlace, Handed},
    balancer::{Balancer, CallId, Load, ServiceKey, Slot},
    clock::Clock,
    fail_points::{self, FailPoint},
    logs::LogSender,
    permits::{CallPlace, Permits, Wanting},
    platform::{self, Platform},
    sequencer::{Inbox, Message},
    stats::Stats,
};
use answers::{cut_in_queue, failed, is_cut_short, trace_of, traceparent};
use consort_admission::Ended;
use consort_engine::{AttemptResult, Command, Dispatch, NodeId};
use consort_invoke::{Invocation, Invoker, Outcome, Reached};
use consort_runtime::{LogSink, Masker};
use consort_spec::definition::{Delivery, Operation};
use consort_store::LogStream;
use consort_types::{AttemptToken, Json, Name, Timestamp};
use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, SetOnce, oneshot};
use tokio_util::sync::CancellationToken;

/// One call on its way.
pub enum Call {
    /// Of a step.
    Step(Box<Dispatch>),
    /// Of somebody outside, without a run.
    Direct(Box<DirectCall>),
}

/// A call of an operation without a run.
pub struct DirectCall {
    /// Names it.
    pub id: u64,
    /// What is called.
    pub operation: Arc<Operation>,
    /// With what; fits the schema.
    pub input: Json,
    /// The caller's `Idempotency-Key`, or one of ours.
    pub idempotency_key: String,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Outcome>,
    /// Cancelled when the caller is gone.
    pub cancel: CancellationToken,
}

/// Sends calls to replicas.
pub struct Dispatcher {
    balancer: Mutex<Balancer<Call>>,
    admissions: Arc<Admissions>,
    permits: Arc<Permits<Call>>,
    /// Rung when somebody waits for time to make room.
    permits_wake: Notify,
    direct_calls: AtomicU64,
    invoker: Invoker,
    inbox: Inbox,
    clock: Arc<dyn Clock>,
    logs: LogSender,
    runtime: tokio::runtime::Handle,
    /// `http://ADDRESS` of this server, for callbacks.
    server_url: String,
    /// Headers of `url` services.
    headers: RwLock<HashMap<ServiceKey, Headers>>,
    /// What calls of the service `consort` go to; set once all loops run.
    platform: SetOnce<Arc<Platform>>,
    /// How calls have gone.
    pub stats: Stats,
    /// Rung when the demand of a service has changed.
    pub demand: Arc<Notify>,
    /// The server ends: nothing is sent any more.
    closed: AtomicBool,
}

/// Headers of a `url` service, and what in them must not show.
#[derive(Clone, Default)]
struct Headers {
    values: Vec<(String, String)>,
    masker: Masker,
}

/// What a dispatcher works with.
pub struct DispatcherParts {
    /// What is known of calls.
    pub admissions: Arc<Admissions>,
    /// Permits of pools.
    pub permits: Arc<Permits<Call>>,
    /// Makes calls.
    pub invoker: Invoker,
    /// Where answers go.
    pub inbox: Inbox,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where lines of `exec` processes go.
    pub logs: LogSender,
    /// Where calls run.
    pub runtime: tokio::runtime::Handle,
    /// `http://ADDRESS` of this server.
    pub server_url: String,
}

impl Dispatcher {
    /// A dispatcher without replicas.
    pub fn new(parts: DispatcherParts) -> Self {
        let DispatcherParts { admissions, permits, invoker, inbox, clock, logs, runtime, server_url } = parts;
        Self {
            balancer: Mutex::default(),
            admissions,
            permits,
            permits_wake: Notify::new(),
            direct_calls: AtomicU64::new(0),
            invoker,
            inbox,
            clock,
            logs,
            runtime,
            server_url,
            headers: RwLock::default(),
            platform: SetOnce::new(),
            stats: Stats::default(),
            demand: Arc::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Sends nothing more, because the server ends. Calls in flight may finish; those that break because
    /// their replica ends are not told of, so that they do not count as tries and are made again after the
    /// restart.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Takes the call of a step.
    pub fn dispatch(self: &Arc<Self>, namespace: &Name, dispatch: Dispatch) {
        let service = dispatch.operation.name.service.clone();
        if service.as_str() == platform::SERVICE {
            return self.dispatch_to_platform(namespace, dispatch);
        }
        let key = ServiceKey { namespace: namespace.clone(), service };
        let token = dispatch.token;
        let cancel = CancellationToken::new();
        let queued = Handed::Queued { key: key.clone(), since: self.clock.now(), cancel };
        self.admissions.calls().insert(token, queued);
        if dispatch.wants.is_empty() {
            return self.go(key, Call::Step(Box::new(dispatch)));
        }
        let place = CallPlace {
            service: key,
            run: Some(token.run),
            workflow: Some(dispatch.workflow.clone()),
            limit_key: dispatch.limit_key.clone(),
            step: dispatch.step.clone(),
        };
        let (id, priority, wants) = (CallId::Attempt(token), dispatch.priority, dispatch.wants.clone());
        let call = Call::Step(Box::new(dispatch));
        self.ask_for_permits(Wanting { id, place, wants, priority, call });
    }

    /// What calls of the service `consort` go to.
    pub(crate) fn set_platform(&self, platform: Arc<Platform>) {
        let _ = self.platform.set(platform);
    }

    /// Calls of the platform wait for no room.
    fn dispatch_to_platform(self: &Arc<Self>, namespace: &Name, dispatch: Dispatch) {
        let this = self.clone();
        let (token, namespace) = (dispatch.token, namespace.clone());
        let (at, cancel) = (self.clock.now(), CancellationToken::new());
        let place = AttemptPlace {
            namespace: namespace.clone(),
            step: dispatch.step.clone(),
            attempt: dispatch.attempt,
        };
        let sent = Handed::Sent {
            at,
            replica: platform::SERVICE.to_owned(),
            revision: 0,
            cancel: cancel.clone(),
            place: Arc::new(place),
        };
        self.admissions.calls().insert(token, sent);
        self.inbox.send(Message::Touched(token.run, NodeId(token.node)));
        self.runtime.spawn(async move {
            let platform = this.platform.wait().await.clone();
            let result = match platform.act(&namespace, &dispatch, &cancel).await {
                Outcome::Succeeded(output) => AttemptResult::Succeeded(output),
                Outcome::Failed(failure) => failed(*failure),
                Outcome::Accepted => AttemptResult::Succeeded(Json::null()),
            };
            if this.closed.load(Ordering::Relaxed) && is_cut_short(&result) {
                return;
            }
            this.admissions.calls().remove(&token);
            let (replica, revision) = (None, None);
            let command = Command::AttemptFinished { token, started_at: at, replica, revision, result };
            this.inbox.command(token.run, command);
        });
    }

    /// Takes a call from outside.
    ///
    /// # Errors
    /// Gives the call back when too many wait already.
    pub fn call(self: &Arc<Self>, key: &ServiceKey, call: DirectCall) -> Result<(), Box<DirectCall>> {
        if self.balancer().is_full(key) {
            return Err(Box::new(call));
        }
        let wants = permits::wants_of_operation(&call.operation);
        if wants.is_empty() {
            self.go(key.clone(), Call::Direct(Box::new(call)));
        } else {
            let place = permits::place_of_direct(key, &call.operation);
            let (id, call) = (CallId::Direct(call.id), Call::Direct(Box::new(call)));
            self.ask_for_permits(Wanting { id, place, wants, priority: 0, call });
        }
        Ok(())
    }

    /// Names a call from outside.
    pub fn next_direct(&self) -> u64 {
        self.direct_calls.fetch_add(1, Ordering::Relaxed)
    }

    /// The caller from outside is gone: its call does not wait any more.
    pub fn leave(self: &Arc<Self>, key: &ServiceKey, direct: u64) {
        let id = CallId::Direct(direct);
        match self.permits.take_back(id, self.clock.now()) {
            Some((_, follows)) => self.act_on(follows),
            None if self.balancer().withdraw(key, id) => self.release_permits(id, Ended::Unsent),
            None => {}
        }
    }

    /// Takes a call back if it was not sent yet.
    pub fn withdraw(self: &Arc<Self>, token: AttemptToken) {
        if let Some((_, follows)) = self.permits.take_back(CallId::Attempt(token), self.clock.now()) {
            self.answer(token, AttemptResult::Interrupted, None);
            return self.act_on(follows);
        }
        let key = match self.admissions.calls().get(&token) {
            Some(Handed::Queued { key, .. }) => key.clone(),
            Some(Handed::Sent { .. }) | None => return,
        };
        if self.balancer().withdraw(&key, CallId::Attempt(token)) {
            self.answer(token, AttemptResult::Interrupted, None);
        }
    }

    /// Cuts a call, sent or not.
    pub fn abort(self: &Arc<Self>, token: AttemptToken) {
        let id = CallId::Attempt(token);
        if let Some((_, follows)) = self.permits.take_back(id, self.clock.now()) {
            self.answer(token, cut_in_queue(), None);
            return self.act_on(follows);
        }
        let handed = self.admissions.calls().get(&token).cloned();
        match handed {
            Some(Handed::Sent { cancel, .. }) => cancel.cancel(),
            Some(Handed::Queued { key, .. }) if self.balancer().withdraw(&key, id) => {
                self.answer(token, cut_in_queue(), None);
            }
            // Between the queue and the replica.
            Some(Handed::Queued { cancel, .. }) => cancel.cancel(),
            None => {}
        }
    }

    /// Says which replicas of a service take calls from now on.
    pub fn set_slots(self: &Arc<Self>, key: &ServiceKey, slots: Vec<Slot>, concurrency: u32) {
        self.balancer().set_slots(key, slots, concurrency);
        self.pump(key);
    }

    /// Sets the headers that calls of a `url` service carry, and the secrets in them.
    pub fn set_headers(&self, key: &ServiceKey, values: Vec<(String, String)>, masker: Masker) {
        let headers = Headers { values, masker };
        self.headers.write().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), headers);
    }

    /// A service is gone. Calls that wait for it go on waiting: it may come back.
    pub fn forget(&self, key: &ServiceKey) {
        self.balancer().forget(key);
        self.stats.forget(key);
        self.headers.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// What a service has to do right now.
    pub fn load(&self, key: &ServiceKey) -> Load {
        self.balancer().load(key)
    }

    /// Calls in flight on one replica.
    pub fn in_flight_on(&self, key: &ServiceKey, slot: u64) -> u32 {
        self.balancer().in_flight_on(key, slot)
    }

    /// Sends all that can go.
    fn pump(self: &Arc<Self>, key: &ServiceKey) {
        while !self.closed.load(Ordering::Relaxed) {
            let next = self.balancer().next(key);
            let Some((waiting, slot)) = next else { break };
            let this = self.clone();
            let key = key.clone();
            self.runtime.spawn(async move { this.send(key, waiting.call, slot).await });
        }
    }

    async fn send(self: Arc<Self>, key: ServiceKey, call: Call, slot: Slot) {
        let id = slot.id;
        match call {
            Call::Step(dispatch) => self.send_step(&key, *dispatch, slot).await,
            Call::Direct(call) => self.send_direct(&key, *call, &slot).await,
        }
        self.balancer().release(&key, id);
        self.pump(&key);
        self.demand.notify_one();
    }

    async fn send_step(self: &Arc<Self>, key: &ServiceKey, dispatch: Dispatch, slot: Slot) {
        let token = dispatch.token;
        let started_at = self.clock.now();
        let cancel = self.admissions.cancel_of(token);
        let sent = Handed::Sent {
            at: started_at,
            replica: slot.name.clone(),
            revision: slot.revision,
            cancel: cancel.clone(),
            place: Arc::new(AttemptPlace {
                namespace: key.namespace.clone(),
                step: dispatch.step.clone(),
                attempt: dispatch.attempt,
            }),
        };
        self.admissions.calls().insert(token, sent);
        self.inbox.send(Message::Touched(token.run, NodeId(token.node)));
        if dispatch.delivery == Delivery::AtMostOnce && !self.may_send(token, started_at, &slot).await {
            self.admissions.calls().remove(&token);
            return self.release_permits(CallId::Attempt(token), Ended::Unsent);
        }
        self.sent(CallId::Attempt(token));
        let invocation = self.invocation(key, &dispatch, started_at);
        let log = self.log_sink(&key.namespace, &dispatch);
        fail_points::reached(FailPoint::BeforeSend);
        let outcome = self.invoke(key, &slot, &invocation, &cancel, log).await;
        fail_points::reached(FailPoint::Answered);
        let result = match outcome {
            Outcome::Succeeded(output) => AttemptResult::Succeeded(output),
            Outcome::Failed(failure) if failure.reached == Reached::No && failure.retry_after.is_none() => {
                AttemptResult::Unsent { error: failure.error }
            }
            Outcome::Failed(failure) => failed(*failure),
            Outcome::Accepted => return self.accepted(token, started_at, &slot),
        };
        self.answer(token, result, Some((started_at, slot)));
    }

    /// A call that may be made only once is recorded before it is sent: then it is known after a crash that it
    /// may have happened. False: it may not be sent any more.
    async fn may_send(&self, token: AttemptToken, started_at: Timestamp, slot: &Slot) -> bool {
        if self.closed.load(Ordering::Relaxed) {
            return false;
        }
        let (replica, revision) = (Some(slot.name.clone()), Some(slot.revision));
        let command = Command::AttemptSending { token, started_at, replica, revision };
        let (reply, committed) = oneshot::channel();
        self.inbox.send(Message::Command { run: token.run, command, reply: Some(reply) });
        matches!(committed.await, Ok(Ok(())))
    }

    /// The answer comes later, at the attempt's own address.
    fn accepted(&self, token: AttemptToken, started_at: Timestamp, slot: &Slot) {
        self.admissions.calls().remove(&token);
        self.permits.accepted(token);
        let (replica, revision) = (Some(slot.name.clone()), Some(slot.revision));
        self.inbox.command(token.run, Command::AttemptAccepted { token, started_at, replica, revision });
    }

    async fn invoke(
        &self,
        key: &ServiceKey,
        slot: &Slot,
        invocation: &Invocation,
        cancel: &CancellationToken,
        log: LogSink,
    ) -> Outcome {
        let begun = Instant::now();
        let mut outcome = self.invoker.invoke(&slot.target, invocation, cancel, log).await;
        self.mask(key, &mut outcome);
        self.stats.note(key, &invocation.operation, &outcome, begun.elapsed());
        outcome
    }

    fn sent(self: &Arc<Self>, id: CallId) {
        let follows = self.permits.sent(id, self.clock.now());
        self.act_on(follows);
    }

    async fn send_direct(self: &Arc<Self>, key: &ServiceKey, call: DirectCall, slot: &Slot) {
        let id = CallId::Direct(call.id);
        if call.cancel.is_cancelled() {
            return self.release_permits(id, Ended::Unsent);
        }
        self.sent(id);
        let now = self.clock.now();
        let timeout = call.operation.timeout;
        let name = &call.operation.name;
        let invocation = Invocation {
            service: name.service.to_string(),
            operation: name.operation.to_string(),
            method: call.operation.method.as_str().to_owned(),
            path: call.operation.path.clone(),
            placing: call.operation.placing.clone(),
            input: call.input,
            run: None,
            step: String::new(),
            attempt: 1,
            token: String::new(),
            callback: String::new(),
            traceparent: traceparent(call.idempotency_key.as_bytes()),
            idempotency_key: call.idempotency_key,
            deadline: now.plus(timeout),
            timeout,
            undoes: None,
            headers: self.headers_of(key),
        };
        let silent: LogSink = Arc::new(|_, _| {});
        let outcome = self.invoke(key, slot, &invocation, &call.cancel, silent).await;
        let amounts = permits::settled_by(&call.operation, &outcome);
        self.release_permits(id, Ended::Sent);
        let follows = self.permits.settle(id, &amounts, self.clock.now());
        self.act_on(follows);
        let _ = call.reply.send(outcome);
    }

    fn invocation(&self, key: &ServiceKey, dispatch: &Dispatch, now: Timestamp) -> Invocation {
        let operation = &dispatch.operation;
        Invocation {
            service: operation.name.service.to_string(),
            operation: operation.name.operation.to_string(),
            method: operation.method.as_str().to_owned(),
            path: operation.path.clone(),
            placing: operation.placing.clone(),
            input: dispatch.input.clone(),
            run: Some(dispatch.token.run),
            step: dispatch.step.clone(),
            attempt: dispatch.attempt,
            token: dispatch.token.to_string(),
            idempotency_key: dispatch.idempotency_key.clone(),
            callback: format!("{}/api/v1/attempts/{}", self.server_url, dispatch.token),
            deadline: now.plus(dispatch.timeout),
            timeout: dispatch.timeout,
            traceparent: trace_of(dispatch.token),
            undoes: dispatch.undoes.clone(),
            headers: self.headers_of(key),
        }
    }

    fn headers_of(&self, key: &ServiceKey) -> Vec<(String, String)> {
        let headers = self.headers.read().unwrap_or_else(PoisonError::into_inner);
        headers.get(key).map(|headers| headers.values.clone()).unwrap_or_default()
    }

    /// A service may quote what it was sent, to say what is wrong with it.
    fn mask(&self, key: &ServiceKey, outcome: &mut Outcome) {
        let Outcome::Failed(failure) = outcome else { return };
        let headers = self.headers.read().unwrap_or_else(PoisonError::into_inner);
        let Some(Headers { masker, .. }) = headers.get(key) else { return };
        let error = &mut failure.error;
        error.message = masker.mask(&error.message).into_owned();
        error.code = masker.mask(&error.code).into_owned();
        if let Some(details) = &error.details
            && let Cow::Owned(masked) = masker.mask(details.text())
        {
            // A number that was a secret is no JSON any more once it is masked.
            error.details = Some(Json::from_text(masked).unwrap_or_else(|_| Json::of("***")));
        }
    }

    /// Lines of an `exec` process go to the log of its attempt.
    fn log_sink(&self, namespace: &Name, dispatch: &Dispatch) -> LogSink {
        let (logs, clock, namespace) = (self.logs.clone(), self.clock.clone(), namespace.clone());
        let (run, step, attempt) = (dispatch.token.run, dispatch.step.clone(), dispatch.attempt);
        Arc::new(move |stream, line| {
            let stream = match stream {
                consort_runtime::LogStream::Stdout => LogStream::Stdout,
                consort_runtime::LogStream::Stderr => LogStream::Stderr,
            };
            let (step, line) = (step.clone(), line.to_owned());
            let line = consort_store::LogLine { run, step, attempt, at: clock.now(), stream, line };
            logs.send(&namespace, line);
        })
    }

    fn answer(self: &Arc<Self>, token: AttemptToken, result: AttemptResult, sent: Option<(Timestamp, Slot)>) {
        if self.closed.load(Ordering::Relaxed) && is_cut_short(&result) {
            return;
        }
        self.admissions.calls().remove(&token);
        let was_sent = sent.is_some() && !matches!(result, AttemptResult::Unsent { .. });
        let how = if was_sent { Ended::Sent } else { Ended::Unsent };
        self.release_permits(CallId::Attempt(token), how);
        let (started_at, slot) = match sent {
            Some((at, slot)) => (at, Some(slot)),
            None => (self.clock.now(), None),
        };
        let command = Command::AttemptFinished {
            token,
            started_at,
            replica: slot.as_ref().map(|slot| slot.name.clone()),
            revision: slot.as_ref().map(|slot| slot.revision),
            result,
        };
        self.inbox.command(token.run, command);
    }

    fn balancer(&self) -> MutexGuard<'_, Balancer<Call>> {
        self.balancer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a caller from outside waits for its call at most, queueing included.
pub const DIRECT_CALL_MAX: Duration = Duration::from_secs(300);
