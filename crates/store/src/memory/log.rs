//! Lines of attempts.

use super::Handle;
use crate::{
    Error, LOG_BYTES_PER_RUN_MAX, LOG_LINES_PER_RUN_MAX, LOG_PAGE_MAX, LogFilter, LogLine, LogPage,
    LogReader, LogWriter, NumberedLine, PAGE_BYTES_MAX,
};
use consort_types::RunId;
use std::{collections::BTreeMap, sync::PoisonError};

#[derive(Debug, Default)]
pub(super) struct Logs(BTreeMap<RunId, RunLog>);

#[derive(Debug, Default)]
struct RunLog {
    lines: Vec<LogLine>,
    bytes: u64,
    dropped: u64,
}

impl RunLog {
    fn add(&mut self, line: &LogLine) {
        let bytes = self.bytes + line.line.len() as u64;
        if self.lines.len() as u64 >= LOG_LINES_PER_RUN_MAX || bytes > LOG_BYTES_PER_RUN_MAX {
            self.dropped += 1;
        } else {
            self.bytes = bytes;
            self.lines.push(line.clone());
        }
    }
}

impl LogWriter for Handle {
    fn append(&mut self, lines: &[LogLine]) -> Result<(), Error> {
        let mut logs = self.shared.logs.write().unwrap_or_else(PoisonError::into_inner);
        for line in lines {
            logs.0.entry(line.run).or_default().add(line);
        }
        Ok(())
    }

    fn delete(&mut self, run: RunId) -> Result<(), Error> {
        self.shared.logs.write().unwrap_or_else(PoisonError::into_inner).0.remove(&run);
        Ok(())
    }
}

impl LogReader for Handle {
    fn lines(&self, filter: &LogFilter, after: u64, limit: usize) -> Result<LogPage, Error> {
        let logs = self.shared.logs.read().unwrap_or_else(PoisonError::into_inner);
        let mut page = LogPage { next_after: after, ..LogPage::default() };
        let Some(log) = logs.0.get(&filter.run) else { return Ok(page) };
        page.dropped = log.dropped;
        let numbered = (1..).zip(&log.lines).filter(|(number, line)| {
            *number > after && filter.step.as_ref().is_none_or(|step| line.step == *step)
        });
        let mut bytes = 0;
        for (number, line) in numbered {
            if page.lines.len() >= limit.clamp(1, LOG_PAGE_MAX) || bytes >= PAGE_BYTES_MAX {
                page.more = true;
                break;
            }
            bytes += line.line.len();
            page.next_after = number;
            page.lines.push(NumberedLine { number, line: line.clone() });
        }
        Ok(page)
    }
}
