//! What a hand or a step does to a service, and what is kept of it.

use super::{DeployedService, ServiceError, ServiceSpec};
use consort_fleet::{Fleet, Revision};
use consort_spec::definition::Runs;
use consort_types::Timestamp;

impl DeployedService {
    pub fn scale(&mut self, replicas: Option<u32>) -> Result<u64, ServiceError> {
        self.fleet_of_replicas()?.scale(replicas);
        Ok(self.wanted)
    }

    /// `act`: the key of the call; one that was done is not done again.
    pub fn restart(&mut self, act: Option<&str>, now: Timestamp) -> Result<u64, ServiceError> {
        if let Some(done) = act.and_then(|act| self.keep.done(act)) {
            return Ok(done);
        }
        self.fleet_of_replicas()?.restart(now);
        self.note(act);
        Ok(self.wanted)
    }

    /// `act`: the key of the call; one that was done is not done again.
    pub fn roll_back(
        &mut self,
        to: ServiceSpec,
        act: Option<&str>,
        now: Timestamp,
    ) -> Result<u64, ServiceError> {
        if let Some(done) = act.and_then(|act| self.keep.done(act)) {
            return Ok(done);
        }
        let number = Revision(to.revision);
        self.fleet_of_replicas()?;
        self.remember(to, now);
        let back = self.fleet_of_replicas()?.rollback(Some(number), now);
        let back = match (back, act) {
            // The step wants it there, and there it is.
            (Err(consort_fleet::Error::AlreadyThere(there)), Some(_)) => there,
            (back, _) => back.map_err(|error| ServiceError::NotPossible(error.to_string()))?,
        };
        self.wanted = back.0;
        self.note(act);
        Ok(self.wanted)
    }

    /// Moves to a revision, also if it was rolled back from.
    pub fn roll_out(&mut self, to: ServiceSpec, now: Timestamp) -> u64 {
        let number = to.revision;
        self.wanted = number;
        self.remember(to, now);
        if let Some(fleet) = &mut self.fleet {
            fleet.release();
        }
        self.move_to_wanted(now);
        let failed = self.fleet.as_mut().filter(|fleet| fleet.has_failed());
        if let Some(fleet) = failed.filter(|fleet| fleet.revision().0 == number) {
            fleet.restart(now);
        }
        number
    }

    fn note(&mut self, act: Option<&str>) {
        if let Some(act) = act {
            self.keep.note(act, self.wanted);
        }
    }

    /// What is to be kept and is not yet; counts as kept from now on.
    pub fn unkept(&mut self) -> Option<consort_store::Service> {
        let fleet = self.fleet.as_ref().filter(|_| !self.removed)?;
        self.keep = self.keep.with(fleet.saved());
        if self.keep == self.kept {
            return None;
        }
        self.kept = self.keep.clone();
        Some(self.kept.stored(&self.key))
    }

    fn fleet_of_replicas(&mut self) -> Result<&mut Fleet, ServiceError> {
        let name = &self.key.service;
        let has_replicas = self
            .revisions
            .get(&self.wanted)
            .is_some_and(|it| matches!(it.spec.definition.runs, Runs::Process { .. }));
        if !has_replicas {
            return Err(ServiceError::NotPossible(format!("`{name}` has no replicas of ours")));
        }
        let message = format!("`{name}` has not run yet");
        self.fleet.as_mut().ok_or(ServiceError::NotPossible(message))
    }
}
