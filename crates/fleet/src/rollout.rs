//! Whether a revision has proved itself.

use crate::{observed::Revision, rules::Rules};
use consort_types::{Timestamp, format_duration};

/// One move of the service to a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rollout {
    pub kind: Kind,
    /// The last good revision when it began; what comes back when this fails. Equal to `to` for a restart.
    pub from: Option<Revision>,
    pub to: Revision,
    pub phase: Phase,
    pub started_at: Timestamp,
    /// When it last came nearer to its end, or ended.
    pub moved_at: Timestamp,
    /// Since it last came nearer.
    pub failed_starts: u32,
    /// Why it failed, as a sentence; empty before.
    pub reason: String,
    nearest: Nearest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Deploy,
    Rollback,
    Restart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// On the way to `to`.
    Forward,
    /// `to` failed; on the way back to `from`.
    Back,
    Succeeded,
    /// Given up, with nothing to go back to, or told not to.
    Failed,
    RolledBack,
}

/// The nearest to its end that a rollout has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nearest {
    ready: u32,
    old: u32,
}

const FAR: Nearest = Nearest { ready: 0, old: u32::MAX };

impl Rollout {
    pub fn new(kind: Kind, from: Option<Revision>, to: Revision, now: Timestamp) -> Self {
        Self {
            kind,
            from,
            to,
            phase: Phase::Forward,
            started_at: now,
            moved_at: now,
            failed_starts: 0,
            reason: String::new(),
            nearest: FAR,
        }
    }

    pub fn is_running(&self) -> bool {
        match self.phase {
            Phase::Forward | Phase::Back => true,
            Phase::Succeeded | Phase::Failed | Phase::RolledBack => false,
        }
    }

    /// Notes how many of the wanted revision are ready and how many others are left. Only more ready ones
    /// than ever, or fewer others than ever, are progress: a replica that comes and goes is none.
    pub fn note(&mut self, ready: u32, old: u32, now: Timestamp) {
        if ready > self.nearest.ready || old < self.nearest.old {
            if ready > self.nearest.ready {
                self.failed_starts = 0;
            }
            self.nearest = Nearest { ready: ready.max(self.nearest.ready), old: old.min(self.nearest.old) };
            self.moved_at = now;
        }
    }

    /// Why it has failed, if it has.
    pub fn failure(&self, rules: &Rules, cause: Option<&str>, now: Timestamp) -> Option<String> {
        let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
        if self.failed_starts >= rules.failed_starts_allowed() {
            let times = if self.failed_starts == 1 { "once" } else { "times in a row" };
            let count =
                if self.failed_starts == 1 { String::new() } else { format!("{} ", self.failed_starts) };
            return Some(format!("failed to start {count}{times}{cause}"));
        }
        (now >= self.deadline(rules))
            .then(|| format!("made no progress for {}{cause}", format_duration(rules.progress_deadline)))
    }

    /// When it fails if it comes no nearer.
    pub fn deadline(&self, rules: &Rules) -> Timestamp {
        self.moved_at.plus(rules.progress_deadline)
    }

    /// Ends in this phase.
    pub fn end(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        self.moved_at = now;
    }

    /// Turns round.
    pub fn turn_back(&mut self, now: Timestamp) {
        self.phase = Phase::Back;
        self.moved_at = now;
        self.failed_starts = 0;
        self.nearest = FAR;
    }
}
