//! Following a run to its end: by the feed, and by asking where there is none.

use crate::{exit::Exit, failure::Failure, show::live::Progress};
use consort_client::{Client, Error, Live, LiveItem};
use consort_types::RunId;
use consort_wire::{FeedEvent, FeedQuery, Run, Step};
use std::{collections::HashMap, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

/// How often a terminal is redrawn, so that times go on.
const REDRAW_EVERY: Duration = Duration::from_millis(200);

/// How often the run is asked for beside the feed: an event that was missed costs at most this.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// How often the run is asked for when there is no feed.
const POLL_EVERY: Duration = Duration::from_millis(500);

/// So long a server may be gone: it is being restarted, and the run goes on afterwards.
const GONE_MAX: Duration = Duration::from_secs(60);

/// Events that wait to be shown; the feed waits with the rest.
const EVENTS_WAITING: usize = 1_024;

/// How the following ended.
#[derive(Debug)]
pub enum Ended {
    /// The run has ended.
    Run(Box<Run>),
    /// The time was over; the run as it was last seen.
    TimeOver(Box<Run>),
    /// Ctrl-C.
    Interrupted,
}

/// Follows a run until it ends, until `deadline`, or until Ctrl-C.
///
/// # Errors
/// When the run is not there, or the server stays away for a minute.
pub async fn follow(
    client: &Client,
    run: Run,
    deadline: Option<Instant>,
    progress: &mut Progress,
) -> Result<Ended, Failure> {
    let mut follower = Follower::new(client.clone(), run);
    follower.ask_or_wait(progress).await?;
    let mut events = listen(client, follower.run.id);
    let mut redraw = interval(REDRAW_EVERY);
    redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    loop {
        if follower.is_settled {
            progress.show(&follower.run, &follower.steps)?;
            return Ok(Ended::Run(Box::new(follower.run)));
        }
        tokio::select! {
            _ = &mut interrupt => return Ok(Ended::Interrupted),
            () = until(deadline) => return Ok(Ended::TimeOver(Box::new(follower.run))),
            Some(heard) = events.recv() => follower.hear(heard, progress).await?,
            () = sleep_until(follower.ask_at) => follower.ask_or_wait(progress).await?,
            _ = redraw.tick() => progress.show(&follower.run, &follower.steps)?,
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// What the feed's task tells.
#[derive(Debug)]
enum Heard {
    Opened,
    Event(FeedEvent),
    Lost(Error),
    /// There is no feed to hear; asking has to do.
    NoFeed,
}

/// Reads the feed in a task of its own, so that nothing that the caller does interrupts it. The task ends
/// when the caller drops the receiver.
fn listen(client: &Client, run: RunId) -> mpsc::Receiver<Heard> {
    let (sender, receiver) = mpsc::channel(EVENTS_WAITING);
    let events = Some("run,step".to_owned());
    let query = FeedQuery { run: Some(run.to_string()), events, ..FeedQuery::default() };
    let mut feed: Live<FeedEvent> = client.feed(query);
    tokio::spawn(async move {
        loop {
            let heard = tokio::select! {
                item = feed.next() => item,
                () = sender.closed() => return,
            };
            let (heard, last) = match heard {
                Ok(Some(LiveItem::Opened)) => (Heard::Opened, false),
                Ok(Some(LiveItem::Event(event))) => (Heard::Event(event), false),
                Ok(Some(LiveItem::Lost(error))) => (Heard::Lost(error), false),
                Ok(None) | Err(_) => (Heard::NoFeed, true),
            };
            if sender.send(heard).await.is_err() || last {
                return;
            }
        }
    });
    receiver
}

struct Follower {
    client: Client,
    run: Run,
    steps: Vec<Step>,
    places: HashMap<String, usize>,
    ask_every: Duration,
    ask_at: Instant,
    gone_since: Option<Instant>,
    /// Run and steps were asked for after the end: the feed may leave out what is large.
    is_settled: bool,
}

impl Follower {
    fn new(client: Client, run: Run) -> Self {
        Self {
            client,
            run,
            steps: Vec::new(),
            places: HashMap::new(),
            ask_every: ASK_EVERY,
            ask_at: Instant::now() + ASK_EVERY,
            gone_since: None,
            is_settled: false,
        }
    }

    /// Takes the whole state from the server.
    async fn ask(&mut self) -> Result<(), Error> {
        self.ask_at = Instant::now() + self.ask_every;
        // The run first: should it end in between, its steps are those of the end.
        let run = self.client.run(self.run.id).await?;
        self.steps = self.client.steps(self.run.id).await?;
        self.is_settled = run.state.is_terminal();
        self.run = run;
        self.places = self.steps.iter().enumerate().map(|(place, step)| (step.key.clone(), place)).collect();
        self.gone_since = None;
        Ok(())
    }

    /// As `ask`, but a server that is gone may come back.
    async fn ask_or_wait(&mut self, progress: &mut Progress) -> Result<(), Failure> {
        match self.ask().await {
            Ok(()) => Ok(()),
            Err(error) if error.may_pass() => self.gone(error, progress),
            Err(error) => Err(error.into()),
        }
    }

    fn gone(&mut self, error: Error, progress: &mut Progress) -> Result<(), Failure> {
        match self.gone_since {
            None => {
                self.gone_since = Some(Instant::now());
                progress
                    .remark(&format!("warning: {error}; the run goes on when the server is back, waiting"));
                Ok(())
            }
            Some(since) if since.elapsed() < GONE_MAX => Ok(()),
            Some(_) => {
                let hint = format!("look again with `consort runs watch {}`", self.run.id);
                Err(Failure { exit: Exit::NoServer, ..Failure::from(error) }.hint(hint))
            }
        }
    }

    async fn hear(&mut self, heard: Heard, progress: &mut Progress) -> Result<(), Failure> {
        match heard {
            Heard::Opened => self.ask_or_wait(progress).await,
            Heard::Event(event) => {
                self.take(event);
                progress.show(&self.run, &self.steps)
            }
            Heard::Lost(error) => self.gone(error, progress),
            Heard::NoFeed => {
                self.ask_every = POLL_EVERY;
                self.ask_at = Instant::now();
                Ok(())
            }
        }
    }

    fn take(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Run(run) if run.id == self.run.id => {
                if run.state.is_terminal() {
                    self.ask_at = Instant::now();
                }
                self.run = *run;
            }
            FeedEvent::Step(step) if step.run == self.run.id => match self.places.get(&step.step.key) {
                Some(place) => self.steps[*place] = step.step,
                None => {
                    self.places.insert(step.step.key.clone(), self.steps.len());
                    self.steps.push(step.step);
                }
            },
            FeedEvent::Run(_) | FeedEvent::Step(_) | FeedEvent::Service(_) | FeedEvent::Log(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::{run::tests::run, tree::tests::step};
    use consort_types::{RunState, StepState};
    use consort_wire::RunStep;

    #[test]
    fn events_change_what_is_known_in_place() {
        let live = run(RunState::Running);
        let mut follower = Follower::new(Client::new("http://127.0.0.1:1").unwrap(), live.clone());
        let event =
            |run, key: &str, state| FeedEvent::Step(Box::new(RunStep { run, step: step(key, None, state) }));
        let other: RunId = "run_00000000000000000000000000000008".parse().unwrap();
        follower.take(event(live.id, "a", StepState::Running));
        follower.take(event(live.id, "b", StepState::Pending));
        follower.take(event(live.id, "a", StepState::Succeeded));
        follower.take(event(other, "c", StepState::Failed));
        let seen: Vec<_> = follower.steps.iter().map(|step| (step.key.as_str(), step.state)).collect();
        assert_eq!(seen, [("a", StepState::Succeeded), ("b", StepState::Pending)]);
        follower.take(FeedEvent::Run(Box::new(run(RunState::Succeeded))));
        assert!(follower.run.state.is_terminal());
    }
}
