//! What the project file says about the replicas of a service.

use std::time::Duration;

/// More replicas of one service than this are never asked for: a typing error in `scale` must not take the
/// machine down.
pub const REPLICAS_MAX: u32 = 1_000;

/// How many replicas, and how they come and go. [`Default`] has the defaults of the project file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// At least so many; 0 scales to zero.
    pub min: u32,
    /// At most so many, by themselves; a hand may ask for more.
    pub max: u32,
    /// Calls in flight that one replica takes.
    pub concurrency: u32,
    /// Fewer replicas only after less was needed for so long.
    pub idle: Duration,
    /// What follows when a replica ends by itself.
    pub restart: RestartRule,
    /// In which manner another revision comes in.
    pub strategy: Strategy,
    /// Replicas over the wanted number while revisions change.
    pub max_surge: u32,
    /// Replicas under the wanted number while revisions change. When this and `max_surge` are both 0, the
    /// surge counts as 1: nothing could move otherwise.
    pub max_unavailable: u32,
    /// A rollout that makes no progress for so long has failed.
    pub progress_deadline: Duration,
    /// A rollout with so many failed starts in a row has failed.
    pub failed_starts: u32,
    /// Whether a failed rollout brings the last good revision back by itself.
    pub roll_back: bool,
}

/// What follows when a replica ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestartRule {
    /// Another takes its place.
    #[default]
    Always,
    /// Another takes its place unless it ended well.
    OnFailure,
    /// It stays down.
    No,
}

/// In which manner another revision comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// New ones start, old ones drain, a few at a time.
    #[default]
    Rolling,
    /// All old ones end before any new one starts.
    Recreate,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            min: 1,
            max: 1,
            concurrency: 16,
            idle: Duration::from_secs(60),
            restart: RestartRule::Always,
            strategy: Strategy::Rolling,
            max_surge: 1,
            max_unavailable: 0,
            progress_deadline: Duration::from_secs(600),
            failed_starts: 3,
            roll_back: true,
        }
    }
}

impl Rules {
    /// The same rules with each number in the range in which it means something.
    pub(crate) fn bounded(mut self) -> Self {
        self.max = self.max.clamp(1, REPLICAS_MAX);
        self.min = self.min.min(self.max);
        self.concurrency = self.concurrency.max(1);
        self.failed_starts = self.failed_starts.max(1);
        self.max_surge = self.max_surge.min(REPLICAS_MAX);
        if self.max_surge == 0 && self.max_unavailable == 0 {
            self.max_surge = 1;
        }
        self
    }

    /// Replicas over the wanted number that the strategy allows.
    pub(crate) fn surge(&self) -> u32 {
        match self.strategy {
            Strategy::Rolling => self.max_surge,
            Strategy::Recreate => 0,
        }
    }

    /// Failed starts until a rollout has failed. Where nothing is restarted, no second start will follow.
    pub(crate) fn failed_starts_allowed(&self) -> u32 {
        match self.restart {
            RestartRule::Always | RestartRule::OnFailure => self.failed_starts,
            RestartRule::No => 1,
        }
    }
}

impl RestartRule {
    /// Whether another replica takes the place of one that ended well, or did not.
    pub(crate) fn replaces(self, ended_well: bool) -> bool {
        match self {
            Self::Always => true,
            Self::OnFailure => !ended_well,
            Self::No => false,
        }
    }

    /// As it stands in the project file.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::OnFailure => "on-failure",
            Self::No => "no",
        }
    }
}
