//! `consort pools add`.

use super::list::budget;
use crate::{
    context::Context,
    exit::{Exit, Outcome},
};
use clap::Args;
use consort_types::{Amount, RunId};
use consort_wire::AddToBudget;

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  consort pools add spend 50000
  consort pools add spend 50000 --key ann
  consort pools add tokens 20000 --run run_0190f0c0000070008000000000000001")]
pub struct Add {
    /// The pool
    pool: String,
    /// How much more, until its next reset
    #[arg(value_parser = amount)]
    amount: Amount,
    /// Which of the pools of that name, where it has a key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The run, for a pool that each run has for itself
    #[arg(long, value_name = "ID")]
    run: Option<RunId>,
    /// Print the pool as JSON
    #[arg(long)]
    json: bool,
}

fn amount(text: &str) -> Result<Amount, String> {
    let number: f64 = text.parse().map_err(|_| "a number over 0 is wanted".to_owned())?;
    Amount::from_number(number)
        .ok()
        .filter(|amount| !amount.is_zero())
        .ok_or("a number over 0 is wanted".to_owned())
}

impl Add {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such budget.
    pub async fn run(&self, context: &Context) -> Outcome {
        let more = AddToBudget { amount: self.amount, key: self.key.clone(), run: self.run };
        let pool = context.client()?.add_to_pool(&self.pool, &more).await?;
        if self.json {
            context.screen.json(&pool)?;
        } else {
            context.screen.text(&format!("{}: {}\n", pool.name, budget(&pool)))?;
        }
        Ok(Exit::Done)
    }
}
