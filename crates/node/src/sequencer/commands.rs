//! Commands for runs that are live, and the few that still mean something after the end.

use super::{CommandError, Live, Sequencer};
use crate::committer::After;
use consort_engine::{Command, Rejected, Run};
use consort_store::Write;
use consort_types::{AttemptToken, RunId};
use tokio::sync::oneshot;

impl Sequencer {
    pub(super) fn command(
        &mut self,
        id: RunId,
        command: Command,
        reply: Option<oneshot::Sender<Result<(), CommandError>>>,
    ) {
        if self.runs.get(&id).is_some_and(|live| !live.is_leaving) {
            return self.apply(id, command, Vec::new(), reply);
        }
        // An answer or a timer that comes after the end is for nobody.
        let Some(reply) = reply else {
            token_of(&command).into_iter().for_each(|token| self.unheard(token));
            return;
        };
        match self.reopen(id, &command) {
            Ok(()) => self.apply(id, command, vec![Write::ReopenRun { run: id }], Some(reply)),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    pub(super) fn apply(
        &mut self,
        id: RunId,
        command: Command,
        writes: Vec<Write>,
        reply: Option<oneshot::Sender<Result<(), CommandError>>>,
    ) {
        let now = self.clock.now();
        let live = self.runs.get_mut(&id).expect("the caller looked");
        let token = token_of(&command);
        match live.run.apply(command, now) {
            Ok(transition) => {
                live.is_leaving = false;
                let answer = reply.map(|reply| After::Call(Box::new(move || drop(reply.send(Ok(()))))));
                self.commit(id, transition, writes, answer.into_iter().collect());
            }
            Err(rejected) => {
                let unheard = token.filter(|token| !live.run.is_in_flight(*token));
                if live.run.is_at_rest() && !live.is_leaving {
                    self.runs.remove(&id);
                }
                if let Some(reply) = reply {
                    drop(reply.send(Err(rejected.into())));
                }
                unheard.into_iter().for_each(|token| self.unheard(token));
            }
        }
    }

    /// Brings back a run that has ended, for the few commands that still mean something.
    pub(super) fn reopen(&mut self, id: RunId, command: &Command) -> Result<(), CommandError> {
        let takes = matches!(command, Command::Undo { .. } | Command::Skip { .. } | Command::Retry { .. });
        let refusal = |run: &Run| CommandError::Rejected(Rejected::Ended(run.view(&|_| None).state));
        if let Some(leaving) = self.runs.get(&id) {
            return if takes { Ok(()) } else { Err(refusal(&leaving.run)) };
        }
        let loaded = self.reader.load(id, &self.catalog);
        let loaded = loaded.map_err(|error| CommandError::Store(error.to_string()))?;
        let (run, next_seq) = loaded.ok_or(CommandError::NoSuchRun(id))?;
        if !takes {
            return Err(refusal(&run));
        }
        self.runs.insert(id, Live { run, next_seq, is_leaving: false });
        Ok(())
    }
}

/// The attempt of which a command tells that it goes on elsewhere or has ended.
fn token_of(command: &Command) -> Option<AttemptToken> {
    match command {
        Command::AttemptFinished { token, .. }
        | Command::AttemptAccepted { token, .. }
        | Command::OutOfBudget { token, .. } => Some(*token),
        _ => None,
    }
}
