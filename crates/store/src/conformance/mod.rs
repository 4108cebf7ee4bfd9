//! The behaviours that any store must show, each a test. A store runs all of them with
//! [`conformance!`](crate::conformance!), given a block that makes a [`Harness`].

mod budget;
mod cache;
mod commit;
mod definition;
mod event;
mod last_output;
mod list;
mod log;
mod notice;

pub use budget::*;
pub use cache::*;
pub use commit::*;
pub use definition::*;
pub use event::*;
pub use last_output::*;
pub use list::*;
pub use log::*;
pub use notice::*;

use crate::{Batch, Error, OpenRun, RunFilter, RunSummary, Store, Write};
use bytes::Bytes;
use consort_types::{Digest, Json, Name, NameKind, RunId, RunState, Timestamp, UndoState};
use std::collections::BTreeMap;

/// A store of its own for one test.
pub trait Harness {
    /// Opens it. What an earlier opening committed is there.
    ///
    /// # Errors
    /// Those of the store.
    fn open(&self) -> Result<Store, Error>;
}

impl<F: Fn() -> Result<Store, Error>> Harness for F {
    fn open(&self) -> Result<Store, Error> {
        self()
    }
}

/// Makes one `#[test]` of each behaviour. Takes a block that gives a new, empty [`Harness`].
#[macro_export]
macro_rules! conformance {
    ($harness:block) => {
        $crate::conformance! {
            $harness:
            what_is_committed_is_seen
            a_refused_batch_leaves_nothing
            a_row_of_history_is_written_once
            a_key_starts_one_run
            the_same_key_is_free_for_another_workflow
            open_runs_are_those_not_closed
            a_closed_run_can_go_on
            a_deleted_run_is_forgotten
            an_open_run_is_not_deleted
            closed_runs_are_found_by_age
            history_comes_in_pages
            a_page_of_history_is_bounded_in_bytes
            values_may_be_large
            a_store_keeps_what_it_had
            a_store_has_one_server
            an_empty_store_answers
            what_was_spent_adds_up_within_its_period
            each_key_and_each_run_has_its_budget
            runs_are_listed_newest_first
            a_summary_replaces_the_one_before
            a_run_keeps_its_place_in_lists
            each_filter_leaves_what_it_names
            pages_hold_while_runs_are_added
            pages_of_filtered_runs_leave_none_out
            runs_of_the_same_moment_are_listed_once
            a_page_of_runs_is_bounded_in_bytes
            a_list_refuses_a_cursor_that_is_not_its_own
            runs_are_counted_by_state
            a_result_is_kept_for_each_revision
            a_result_is_dropped_by_the_run_that_gave_it
            results_are_bounded_and_the_first_to_expire_goes_first
            the_newest_project_counts
            revisions_never_change
            a_removed_workflow_keeps_its_revisions
            a_service_has_an_active_revision
            definitions_are_listed_by_name
            notices_are_listed_by_kind_longest_wait_first
            notices_come_in_pages
            notices_go_with_their_run
            the_last_output_is_kept_for_each_key
            events_are_kept_in_their_order
            an_event_is_stored_once
            events_come_in_pages
            old_events_are_forgotten
            lines_are_read_by_run_and_step
            lines_come_in_pages
            lines_of_a_run_are_bounded
            lines_are_forgotten_with_their_run
        }
    };
    ($harness:block: $($case:ident)*) => {
        $(#[test]
        fn $case() {
            $crate::conformance::$case(&$harness);
        })*
    };
}

/// The moment of the first run, in milliseconds; run `n` is created `n` seconds later.
const EPOCH_MS: i64 = 1_764_000_000_000;

fn opened(harness: &impl Harness) -> Store {
    harness.open().expect("a new store opens")
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_millis(EPOCH_MS + 1000 * i64::try_from(second).expect("tests use small numbers"))
}

fn run(number: u64) -> RunId {
    format!("run_{number:032x}").parse().expect("32 hex digits")
}

fn name(text: &str) -> Name {
    Name::new(text, NameKind::Kebab).expect("tests use names")
}

fn append(number: u64, seq: u64, entries: &[u8]) -> Write {
    Write::Append { run: run(number), seq, entries: Bytes::copy_from_slice(entries) }
}

fn start(number: u64) -> OpenRun {
    OpenRun {
        run: run(number),
        namespace: name("lending"),
        workflow: name("loan"),
        key: None,
        input_digest: Digest::of(&number.to_be_bytes()),
        created_at: at(number),
    }
}

fn keyed(number: u64, key: &str) -> OpenRun {
    OpenRun { key: Some(key.to_owned()), ..start(number) }
}

fn summary(number: u64) -> RunSummary {
    RunSummary {
        run: run(number),
        namespace: name("lending"),
        workflow: name("loan"),
        revision: 3,
        state: RunState::Running,
        created_at: at(number),
        started_at: Some(at(number + 1)),
        finished_at: None,
        tags: BTreeMap::new(),
        trigger: None,
        waiting: None,
        error: None,
        undo: UndoState::None,
        document: Json::of(&serde_json::json!({ "id": run(number) })),
        search: run(number).to_string(),
    }
}

fn lending() -> RunFilter {
    RunFilter::all(name("lending"))
}

fn commit(store: &mut Store, writes: impl Into<Vec<Write>>) {
    store.writer.commit(&Batch::from(writes.into())).expect("the batch is good");
}

fn refused(store: &mut Store, writes: impl Into<Vec<Write>>) -> Error {
    store.writer.commit(&Batch::from(writes.into())).expect_err("the batch is refused")
}

fn summarize(run: RunSummary) -> Write {
    Write::Summarize(Box::new(run))
}
