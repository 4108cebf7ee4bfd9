//! `consort pools list`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    show::{
        style::Tone,
        table::{Cell, Table},
        time,
    },
};
use clap::Args;
use consort_types::{RunId, Timestamp};
use consort_wire::{Page, Pool};
use std::time::Duration;

/// Holders and waiters shown of one pool; the rest is counted.
const SHOWN_MAX: usize = 5;

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  consort pools
  consort pools --json")]
pub struct List {
    /// Print `{items, next_cursor}`
    #[arg(long)]
    json: bool,
}

impl List {
    /// Runs the command.
    ///
    /// # Errors
    /// As every call of the server.
    pub async fn run(&self, context: &Context) -> Outcome {
        let pools = context.client()?.pools().await?;
        let screen = context.screen;
        if self.json {
            screen.json(&Page::last(pools))?;
        } else if pools.is_empty() {
            screen.note("no pools; define some under `pools:` in the project file");
        } else {
            screen.text(&table(&pools).render(screen))?;
            if pools.iter().any(|pool| pool.holder_count + pool.waiter_count > 0) {
                screen.text(&format!("\n{}", calls(&pools, time::now()).render(screen)))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn table(pools: &[Pool]) -> Table<6> {
    let mut table = Table::new(["POOL", "USED", "RATE", "BUDGET", "HOLD", "WAIT"]);
    for pool in pools {
        let tone = if pool.waiter_count > 0 { Tone::Wait } else { Tone::None };
        table.row([
            name(pool).into(),
            pool.size.map_or_else(|| pool.used.to_string(), |size| format!("{} of {size}", pool.used)).into(),
            rate(pool).into(),
            budget(pool).into(),
            pool.holder_count.to_string().into(),
            Cell::toned(tone, pool.waiter_count.to_string()),
        ]);
    }
    table
}

/// `spend`, `spend (ann)`, `tokens of run_…`.
fn name(pool: &Pool) -> String {
    let key = pool.key.as_ref().map_or_else(String::new, |key| format!(" ({key})"));
    let run = pool.run.map_or_else(String::new, |run| format!(" of {run}"));
    format!("{}{key}{run}", pool.name)
}

fn rate(pool: &Pool) -> String {
    let Some(rate) = &pool.rate else { return "-".to_owned() };
    format!("{} of {} in {}", rate.used, rate.count, time::short(Duration::from_millis(rate.per_ms)))
}

/// What is left of a budget.
pub fn budget(pool: &Pool) -> String {
    let Some(budget) = &pool.budget else { return "-".to_owned() };
    let reset = budget.resets_at.map_or_else(String::new, |at| format!(", full again at {at}"));
    format!("{} of {} left{reset}", budget.left, budget.total)
}

fn calls(pools: &[Pool], now: Timestamp) -> Table<6> {
    let mut table = Table::new(["POOL", "CALL", "STEP", "AMOUNT", "SINCE", "STATE"]);
    let whose = |run: Option<RunId>, service: &str| {
        run.map_or_else(|| format!("{service} from outside"), |run| run.to_string())
    };
    for pool in pools {
        for holder in pool.holders.iter().take(SHOWN_MAX) {
            table.row([
                name(pool).into(),
                whose(holder.run, &holder.service).into(),
                holder.step.clone().into(),
                holder.amount.to_string().into(),
                time::ago(holder.since, now).into(),
                Cell::toned(Tone::Busy, "holds"),
            ]);
        }
        for waiter in pool.waiters.iter().take(SHOWN_MAX) {
            table.row([
                name(pool).into(),
                whose(waiter.run, &waiter.service).into(),
                waiter.step.clone().into(),
                waiter.amount.to_string().into(),
                time::ago(waiter.since, now).into(),
                Cell::toned(Tone::Wait, format!("waits, {} ahead", waiter.ahead)),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::{Medium, Screen, style::Style};
    use consort_types::Amount;
    use consort_wire::{PoolBudget, PoolHolder, PoolWaiter, WhenEmpty};

    fn pool() -> Pool {
        let at = Timestamp::from_millis(0);
        let run = "run_00000000000000000000000000000007".parse().unwrap();
        Pool {
            namespace: "shop".to_owned(),
            name: "gpu".to_owned(),
            key: None,
            run: None,
            size: Some(Amount::units(2)),
            used: Amount::units(2),
            rate: None,
            budget: Some(PoolBudget {
                total: Amount::units(100),
                added: Amount::ZERO,
                spent: Amount::units(40),
                left: Amount::units(60),
                when_empty: WhenEmpty::Pause,
                resets_at: None,
            }),
            holders: vec![PoolHolder {
                run: Some(run),
                workflow: Some("train".to_owned()),
                step: "a[0]".to_owned(),
                service: "trainer".to_owned(),
                amount: Amount::units(2),
                since: at,
            }],
            holder_count: 1,
            waiters: vec![PoolWaiter {
                run: None,
                workflow: None,
                step: "train".to_owned(),
                service: "trainer".to_owned(),
                amount: Amount::units(1),
                since: at,
                ahead: 3,
            }],
            waiter_count: 1,
        }
    }

    #[test]
    fn who_holds_and_who_waits_is_shown() {
        let screen = Screen { medium: Medium::Pipe, style: Style::Plain };
        let text =
            table(&[pool()]).render(screen) + &calls(&[pool()], Timestamp::from_millis(5_000)).render(screen);
        for part in [
            "2 of 2",
            "60 of 100 left",
            "run_00000000000000000000000000000007",
            "a[0]",
            "holds",
            "waits, 3 ahead",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}
