//! Named places where the server can be made to die, so that a test can die there and look at what is left.
//!
//! `CONSORT_FAIL_POINT=NAME:N` in the environment ends the process, as `kill -9` would, when the place NAME is
//! reached for the Nth time. Without it a place costs one load of a flag. `tests/torture` goes through all of
//! them; CONTRIBUTING.md says when to add one.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// A place between two things that must not come apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailPoint {
    /// Decided and in memory, not yet handed to the committer.
    Decided,
    /// All of a batch is there, nothing is stored.
    BeforeCommit,
    /// Stored, and nobody outside has seen anything of it.
    Committed,
    /// Some of what follows a commit was let go, the rest was not.
    Acting,
    /// A call has its replica and is not sent.
    BeforeSend,
    /// A call was answered, and the answer is not with the sequencer.
    Answered,
    /// A server takes over open runs, some of them done.
    Recovering,
    /// Old runs are about to be forgotten.
    Forgetting,
}

impl FailPoint {
    /// Every place, by its name.
    const NAMES: [(Self, &'static str); 8] = [
        (Self::Decided, "decided"),
        (Self::BeforeCommit, "before-commit"),
        (Self::Committed, "committed"),
        (Self::Acting, "acting"),
        (Self::BeforeSend, "before-send"),
        (Self::Answered, "answered"),
        (Self::Recovering, "recovering"),
        (Self::Forgetting, "forgetting"),
    ];
}

/// The place that was asked for, and how often it is still passed unharmed.
struct Armed {
    point: FailPoint,
    passes_left: AtomicU64,
}

/// Reads the environment once. What cannot be read arms nothing and is told: a test that believes it dies
/// somewhere must not go on alive.
static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

/// Ends the process here if that was asked for.
pub(crate) fn reached(point: FailPoint) {
    let armed = ARMED.get_or_init(|| std::env::var("CONSORT_FAIL_POINT").ok().and_then(|text| read(&text)));
    if let Some(armed) = armed.as_ref().filter(|armed| armed.point == point)
        && armed.passes_left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        // No destructor, no flush: what is on the disk now is all that there is.
        std::process::abort();
    }
}

fn read(text: &str) -> Option<Armed> {
    let (name, number) = text.split_once(':').unwrap_or((text, "1"));
    let point = FailPoint::NAMES.into_iter().find(|(_, known)| *known == name).map(|(point, _)| point);
    match (point, number.parse::<u64>()) {
        (Some(point), Ok(number @ 1..)) => Some(Armed { point, passes_left: AtomicU64::new(number) }),
        _ => {
            let known: Vec<&str> = FailPoint::NAMES.iter().map(|(_, name)| *name).collect();
            tracing::error!(text, ?known, "CONSORT_FAIL_POINT is NAME:N with one of these names; ignored");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_number_arm_a_place() {
        let armed = read("before-commit:7").unwrap();
        assert_eq!((armed.point, armed.passes_left.into_inner()), (FailPoint::BeforeCommit, 7));
        assert_eq!(read("acting").unwrap().point, FailPoint::Acting);
        for wrong in ["", "nowhere:1", "acting:0", "acting:x", "acting:-1"] {
            assert!(read(wrong).is_none(), "{wrong:?}");
        }
    }
}
