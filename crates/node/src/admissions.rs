//! What is known of calls that were handed out: why they wait, or where they are.

use crate::{
    balancer::{CallId, ServiceKey},
    clock::Clock,
    dispatcher::Call,
    permits::Permits,
};
use consort_engine::{Admission, NodeId};
use consort_types::{AttemptToken, Name, RunId, RunState, Timestamp, WaitKind, WaitingOn};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};
use tokio_util::sync::CancellationToken;

/// What a service says of itself to those that wait for it.
#[derive(Debug, Clone, Default)]
pub struct Glance {
    /// A sentence: `starting`, `crash loop, next start in 8s`.
    pub detail: String,
}

/// What is known of calls that were handed out.
pub struct Admissions {
    permits: Arc<Permits<Call>>,
    clock: Arc<dyn Clock>,
    /// In order of runs, so that those of one run are found together.
    calls: Mutex<BTreeMap<AttemptToken, Handed>>,
    /// Steps that wait until another has made an equal call.
    behind: Mutex<HashMap<AttemptToken, WaitingOn>>,
    glances: RwLock<HashMap<ServiceKey, Glance>>,
    /// How child runs stand that steps wait for.
    children: RwLock<HashMap<(RunId, NodeId), ChildStands>>,
}

/// The state of a child run, and why it does not move.
pub type ChildStands = (RunState, Option<WaitingOn>);

/// A call that was handed out and has not been answered.
#[derive(Clone)]
pub(crate) enum Handed {
    Queued {
        key: ServiceKey,
        since: Timestamp,
        cancel: CancellationToken,
    },
    Sent {
        at: Timestamp,
        replica: String,
        revision: u64,
        cancel: CancellationToken,
        place: Arc<AttemptPlace>,
    },
}

/// Which attempt of which step a call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptPlace {
    /// The namespace.
    pub namespace: Name,
    /// Key of the step.
    pub step: String,
    /// Number of the attempt.
    pub attempt: u32,
}

impl Admissions {
    /// Nothing is handed out yet.
    pub fn new(permits: Arc<Permits<Call>>, clock: Arc<dyn Clock>) -> Self {
        Self {
            permits,
            clock,
            calls: Mutex::default(),
            glances: RwLock::default(),
            children: Default::default(),
            behind: Mutex::default(),
        }
    }

    /// What became of a call that was handed out.
    pub fn of(&self, token: AttemptToken) -> Option<Admission> {
        let Some(handed) = self.calls().get(&token).cloned() else {
            return self.child_of(token).or_else(|| self.behind().get(&token).cloned().map(Admission::Held));
        };
        Some(match handed {
            Handed::Sent { at, replica, revision, .. } => {
                // The platform has no revisions.
                let revision = Some(revision).filter(|revision| *revision > 0);
                Admission::Sent { at, replica: Some(replica), revision }
            }
            Handed::Queued { key, since, .. } => {
                let for_permits = self.permits.why(CallId::Attempt(token), self.clock.now());
                Admission::Held(for_permits.unwrap_or_else(|| self.held(&key, since)))
            }
        })
    }

    fn child_of(&self, token: AttemptToken) -> Option<Admission> {
        let children = self.children.read().unwrap_or_else(PoisonError::into_inner);
        let (state, reason) = children.get(&(token.run, NodeId(token.node)))?;
        Some(Admission::Child(*state, reason.clone()))
    }

    /// Says how the child run of a step stands. Whether that is new.
    pub fn child_stands(&self, step: (RunId, NodeId), stands: ChildStands) -> bool {
        let mut children = self.children.write().unwrap_or_else(PoisonError::into_inner);
        if children.get(&step) == Some(&stands) {
            return false;
        }
        children.insert(step, stands);
        true
    }

    /// The child run of a step has ended.
    pub fn forget_child(&self, step: (RunId, NodeId)) {
        self.children.write().unwrap_or_else(PoisonError::into_inner).remove(&step);
    }

    /// The call of a run that a replica has in hand; of a step, when that is named. None when it has none, or
    /// several and one cannot tell which.
    pub fn attempt_of(&self, run: RunId, step: Option<&str>, replica: &str) -> Option<AttemptPlace> {
        let bounds = [0, u32::MAX].map(|end| AttemptToken { run, node: end, number: end });
        let calls = self.calls();
        let mut found = calls.range(bounds[0]..=bounds[1]).filter_map(|(_, handed)| match handed {
            Handed::Sent { replica: at, place, .. } if at == replica => Some(place),
            Handed::Sent { .. } | Handed::Queued { .. } => None,
        });
        let mut matching = found.by_ref().filter(|place| step.is_none_or(|step| place.step == step));
        let first = matching.next()?;
        matching.next().is_none().then(|| (**first).clone())
    }

    /// A step waits until another has made an equal call.
    pub fn waits(&self, token: AttemptToken, waiting: WaitingOn) {
        self.behind().insert(token, waiting);
    }

    /// It does not wait for that any more, if it did.
    pub fn waits_no_more(&self, token: AttemptToken) {
        self.behind().remove(&token);
    }

    /// Says why calls of a service wait.
    pub fn glance(&self, key: &ServiceKey, glance: Glance) {
        self.glances.write().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), glance);
    }

    /// A service is gone: calls that wait for it say so.
    pub fn forget(&self, key: &ServiceKey) {
        self.glances.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn held(&self, key: &ServiceKey, since: Timestamp) -> WaitingOn {
        let glances = self.glances.read().unwrap_or_else(PoisonError::into_inner);
        let detail = match glances.get(key) {
            Some(glance) => format!("waits for a replica of `{}`: {}", key.service, glance.detail),
            None => format!("waits for the service `{}`, which is not deployed", key.service),
        };
        let name = key.service.to_string();
        WaitingOn { kind: WaitKind::Replica, name, since, until: None, ahead: None, detail }
    }

    /// What cuts a call; made when it was handed out.
    pub(crate) fn cancel_of(&self, token: AttemptToken) -> CancellationToken {
        match self.calls().get(&token) {
            Some(Handed::Queued { cancel, .. } | Handed::Sent { cancel, .. }) => cancel.clone(),
            None => CancellationToken::new(),
        }
    }

    fn behind(&self) -> MutexGuard<'_, HashMap<AttemptToken, WaitingOn>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, BTreeMap<AttemptToken, Handed>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
