//! One commit: one transaction, one fsync.

use crate::{
    Checkpointer, Durability, budget, cache, definition, event, fault::Fault, file::DatabaseFile, history,
    last_output, lock::FolderLock, notice, run, service, summary,
};
use consort_store::{Batch, Error, Write, Writer};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::sync::Arc;

pub(crate) struct SqliteWriter {
    connection: Connection,
    _checkpointer: Checkpointer,
    _lock: Arc<FolderLock>,
}

impl SqliteWriter {
    pub(crate) fn open(
        file: &DatabaseFile,
        durability: Durability,
        lock: Arc<FolderLock>,
    ) -> Result<Self, Fault> {
        let mut connection = file.writer(durability)?;
        let checkpointer = Checkpointer::start(file, &mut connection)?;
        Ok(Self { connection, _checkpointer: checkpointer, _lock: lock })
    }

    fn try_commit(&mut self, batch: &Batch) -> Result<(), Fault> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for write in batch.writes() {
            apply(&transaction, write)?;
        }
        Ok(transaction.commit()?)
    }
}

impl Writer for SqliteWriter {
    fn commit(&mut self, batch: &Batch) -> Result<(), Error> {
        Ok(self.try_commit(batch)?)
    }
}

fn apply(transaction: &Transaction<'_>, write: &Write) -> Result<(), Fault> {
    match write {
        Write::Append { run, seq, entries } => history::append(transaction, *run, *seq, entries),
        Write::OpenRun(start) => run::open(transaction, start),
        Write::CloseRun { run, at } => run::close(transaction, *run, *at),
        Write::ReopenRun { run } => run::reopen(transaction, *run),
        Write::Summarize(summary) => summary::put(transaction, summary),
        Write::SetNotices { run, namespace, notices } => notice::set(transaction, *run, namespace, notices),
        Write::SetLastOutput(last) => last_output::set(transaction, last),
        Write::DeleteRun { run } => {
            notice::delete(transaction, *run)?;
            run::delete(transaction, *run)?;
            history::delete(transaction, *run)?;
            summary::delete(transaction, *run)
        }
        Write::PutEvent(stored) => event::put(transaction, stored),
        Write::DropEvents { through, before } => event::drop_old(transaction, *through, *before),
        Write::KeepResult(result, bounds) => cache::keep(transaction, result, *bounds),
        Write::DropResult { namespace, key, run } => cache::drop(transaction, namespace, *key, *run),
        Write::ChangeBudget(change) => budget::change(transaction, change),
        Write::ForgetBudgets { run } => budget::forget_run(transaction, *run),
        Write::PutProject(project) => definition::put_project(transaction, project),
        Write::PutWorkflow(revision) => definition::put_workflow(transaction, revision),
        Write::RemoveWorkflow { namespace, name } => {
            definition::remove_workflow(transaction, namespace, name)
        }
        Write::PutService(revision) => service::put_revision(transaction, revision),
        Write::SetService(service) => service::set(transaction, service),
        Write::RemoveService { namespace, name } => service::remove(transaction, namespace, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::STORE_MIGRATIONS;

    #[test]
    fn a_full_disk_refuses_the_batch_and_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = DatabaseFile::prepare(folder.path().join("consort.db"), STORE_MIGRATIONS).unwrap();
        let lock = Arc::new(FolderLock::take(folder.path()).unwrap());
        let mut writer = SqliteWriter::open(&file, Durability::Full, lock).unwrap();
        let run = "run_00000000000000000000000000000001".parse().unwrap();
        let row = |seq, bytes| Write::Append { run, seq, entries: vec![0; bytes].into() };
        let limit = |writer: &SqliteWriter, pages: u32| {
            writer.connection.pragma_update(None, "max_page_count", pages).unwrap();
        };
        // SQLite reports its own limit of pages as it reports the disk's.
        limit(&writer, 100);
        let large = Batch::from(vec![row(1, 10), row(2, 1 << 20)]);
        for _ in 0..2 {
            assert!(matches!(writer.commit(&large), Err(Error::Full)));
        }
        writer.commit(&Batch::from(vec![row(1, 10)])).unwrap();
        limit(&writer, 10_000);
        writer.commit(&Batch::from(vec![row(2, 1 << 20)])).unwrap();
    }
}
