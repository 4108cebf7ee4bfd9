//! Commands for runs that are live, and the few that still mean something after the end.

use super::{CommandError, Live, Sequencer};
use crate::committer::After;
use consort_engine::{Command, Rejected, Run};
use consort_store::Write;
use consort_types::{AttemptToken, RunId};
use tokio::sync::oneshot;

/// Whether a command comes from another run, which may also speak to one that has ended.
const fn is_of_kin(command: &Command) -> bool {
    matches!(command, Command::FromParent(_) | Command::FromChild(_))
}

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
        if reply.is_none() && !is_of_kin(&command) {
            token_of(&command).into_iter().for_each(|token| self.unheard(token));
            return;
        }
        match (self.reopen(id, &command), reply) {
            (Ok(()), reply) => self.apply(id, command, vec![Write::ReopenRun { run: id }], reply),
            (Err(error), Some(reply)) => drop(reply.send(Err(error))),
            (Err(error), None) => self.word_was_lost(id, &command, &error),
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
                // One that was only looked at is not open again.
                let writes = if transition.is_empty() { Vec::new() } else { writes };
                if transition.is_empty() && transition.effects.is_empty() {
                    self.let_go(id);
                } else {
                    live.is_leaving = false;
                }
                let answer = reply.map(|reply| After::Call(Box::new(move || drop(reply.send(Ok(()))))));
                self.commit(id, transition, writes, answer.into_iter().collect());
            }
            Err(rejected) => {
                let unheard = token.filter(|token| !live.run.is_in_flight(*token));
                self.let_go(id);
                if let Some(reply) = reply {
                    drop(reply.send(Err(rejected.into())));
                }
                unheard.into_iter().for_each(|token| self.unheard(token));
            }
        }
    }

    /// A run that was brought back and stays as it was is not kept.
    fn let_go(&mut self, id: RunId) {
        if self.runs.get(&id).is_some_and(|live| live.run.is_at_rest() && !live.is_leaving) {
            self.runs.remove(&id);
        }
    }

    /// Brings back a run that has ended, for the few commands that still mean something.
    pub(super) fn reopen(&mut self, id: RunId, command: &Command) -> Result<(), CommandError> {
        let by_hand = matches!(
            command,
            Command::Undo { .. } | Command::Skip { .. } | Command::Retry { .. } | Command::Complete { .. }
        );
        let takes = by_hand || is_of_kin(command);
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
        self.runs.insert(id, Live::loaded(run, next_seq));
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
