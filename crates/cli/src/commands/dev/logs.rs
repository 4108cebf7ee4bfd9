//! The lines of all services in one terminal, a colour for each.

use crate::show::{Screen, printable, style::Style};
use consort_client::{Client, LiveItem};
use std::collections::HashMap;
use tokio::task::JoinHandle;

/// Colours that read well on light and on dark, and mean nothing.
const COLOURS: &[&str] = &["36", "35", "34", "33", "32", "96", "95", "94"];

/// One reader for each service; all end with this.
#[derive(Debug)]
pub struct Tails {
    screen: Screen,
    tasks: HashMap<String, JoinHandle<()>>,
}

impl Drop for Tails {
    fn drop(&mut self) {
        self.tasks.values().for_each(JoinHandle::abort);
    }
}

impl Tails {
    /// None yet.
    pub fn new(screen: Screen) -> Self {
        Self { screen, tasks: HashMap::new() }
    }

    /// Reads those services that are not being read yet; the names line up.
    pub fn follow<'a>(&mut self, client: &Client, services: impl Iterator<Item = &'a str> + Clone) {
        let width = services.clone().map(str::len).max().unwrap_or(0);
        for service in services {
            let number = self.tasks.len();
            if self.tasks.get(service).is_some_and(|task| !task.is_finished()) {
                continue;
            }
            let prefix = prefix(self.screen.style, service, width, number);
            let task = tokio::spawn(tail(client.clone(), service.to_owned(), prefix, self.screen));
            self.tasks.insert(service.to_owned(), task);
        }
    }
}

fn prefix(style: Style, service: &str, width: usize, number: usize) -> String {
    let text = format!("{service:width$} |");
    match style {
        Style::Colour => format!("\x1b[{}m{text}\x1b[0m", COLOURS[number % COLOURS.len()]),
        Style::Plain => text,
    }
}

async fn tail(client: Client, service: String, prefix: String, screen: Screen) {
    let mut live = client.follow_service_logs(&service, None);
    // An error ends the tail of this service: it has no logs (`url`), or was removed.
    while let Ok(Some(item)) = live.next().await {
        if let LiveItem::Event(line) = item
            && screen.line(&format!("{prefix} {}", printable(&line.line))).is_err()
        {
            return;
        }
    }
}
