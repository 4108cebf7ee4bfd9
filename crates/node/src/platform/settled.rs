//! Waiting until a service has arrived at a revision, or never will.

use super::{Platform, failure, refused, superseded};
use crate::{
    balancer::ServiceKey,
    services::{ServiceError, ServiceView},
};
use consort_fleet::{RolloutState, ServiceState};
use consort_invoke::Failure;
use consort_types::{ErrorKind, RunError};

impl Platform {
    /// Waits until a revision has proved itself.
    ///
    /// # Errors
    /// When it was rolled back, cannot start, or is not wanted any more.
    pub(super) async fn settled(&self, key: &ServiceKey, revision: u64) -> Result<(), Box<Failure>> {
        let mut changes = self.changes.clone();
        loop {
            changes.mark_unchanged();
            let Some(view) = self.view(key) else {
                return Err(refused(ServiceError::NoSuchService(key.service.clone())));
            };
            if let Some(verdict) = verdict(&view, revision) {
                return verdict;
            }
            if changes.changed().await.is_err() {
                return Err(refused(ServiceError::NotPossible("the server is about to end".to_owned())));
            }
        }
    }
}

/// Whether the service has arrived; none: it is on its way.
fn verdict(view: &ServiceView, revision: u64) -> Option<Result<(), Box<Failure>>> {
    let ended = view.rollout.as_ref().filter(|rollout| rollout.to.0 == revision);
    if let Some(RolloutState::Failed | RolloutState::RolledBack) = ended.map(|rollout| rollout.state) {
        return Some(Err(failed(ended.map_or("", |rollout| &rollout.detail))));
    }
    if view.wanted_revision != revision {
        return Some(Err(superseded(&view.key, revision)));
    }
    if view.setup_failed_at.is_some() {
        return Some(Err(failed(&view.detail)));
    }
    match &view.rollout {
        Some(rollout) if rollout.to.0 == revision => match rollout.state {
            RolloutState::Succeeded => Some(Ok(())),
            RolloutState::Failed | RolloutState::RolledBack => Some(Err(failed(&rollout.detail))),
            // Nobody may start what was stopped by hand, so nothing will ever prove it.
            RolloutState::Running if view.state == ServiceState::Stopped => Some(Ok(())),
            RolloutState::Running | RolloutState::RollingBack => None,
        },
        Some(_) => None,
        // It had proved itself before the server was started anew.
        None if view.revision == revision && !view.setting_up => match view.state {
            ServiceState::Starting => None,
            _ => Some(Ok(())),
        },
        None => None,
    }
}

fn failed(detail: &str) -> Box<Failure> {
    failure(RunError::new("E_ROLLOUT_FAILED", ErrorKind::Operation, detail))
}
