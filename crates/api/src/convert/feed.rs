//! Events of the feed.

use super::{log_line, run, run::slim_pair, service, slim, step};
use consort_node::FeedData;
use consort_wire as wire;

/// An event as it is sent: large inputs and outputs are left out.
pub fn feed_event(data: &FeedData) -> wire::FeedEvent {
    match data {
        FeedData::Run(record) => wire::FeedEvent::Run(Box::new(slim(run((**record).clone())))),
        FeedData::Step { run, step: view, .. } => {
            let mut step = step((**view).clone());
            slim_pair(&mut step.input, &mut step.output);
            wire::FeedEvent::Step(Box::new(wire::RunStep { run: *run, step }))
        }
        FeedData::Service(view) => wire::FeedEvent::Service(Box::new(service(view))),
        FeedData::Log { line, .. } => {
            wire::FeedEvent::Log(wire::RunLog { run: line.run, line: log_line((**line).clone()) })
        }
    }
}
