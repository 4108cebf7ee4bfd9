//! `consort runs approve`: answer a question of a run.

use super::act::done;
use crate::{
    context::{Context, run_id},
    exit::{Exit, Outcome},
    failure::Failure,
    input::{InputArgs, upload},
};
use clap::Args;
use consort_types::{RunId, WaitKind};
use consort_wire::Step;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  consort runs approve run_… -i approved=true
  consort runs approve run_… decision.else -i approved=false";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Approve {
    /// The run
    id: String,
    /// Key of the step that asks; not needed when there is one
    step: Option<String>,
    /// The answer; without it `approved=true`.
    #[command(flatten)]
    answer: InputArgs,
    /// Print the run as JSON
    #[arg(long)]
    json: bool,
}

impl Approve {
    /// Runs the command.
    ///
    /// # Errors
    /// When nothing asks, several ask and none is named, or the answer does not fit the form.
    pub async fn run(&self, context: &Context) -> Outcome {
        let (client, id) = (context.client()?, run_id(&self.id)?);
        let steps = client.steps(id).await?;
        let step = asking(&steps, id, self.step.as_deref())?;
        let answer = if self.answer.is_empty() {
            consort_types::Json::of(&json!({"approved": true}))
        } else {
            upload(&client, self.answer.read(&form(step))?).await?
        };
        done(context, &client.complete_step(id, &step.key, answer).await?, self.json)
    }
}

/// The step that is meant.
fn asking<'a>(steps: &'a [Step], run: RunId, named: Option<&str>) -> Result<&'a Step, Failure> {
    if let Some(key) = named {
        let found = steps.iter().find(|step| step.key == key);
        return found.ok_or_else(|| Failure::new(Exit::NotFound, format!("the run {run} has no step {key}")));
    }
    let asks = |step: &&Step| {
        !step.state.is_terminal()
            && step.kind == "await"
            && step.waiting_on.as_ref().is_some_and(|waiting| waiting.kind == WaitKind::Approval)
    };
    let asking: Vec<_> = steps.iter().filter(asks).collect();
    match asking.as_slice() {
        [step] => Ok(step),
        [] => Err(Failure::new(Exit::NotFound, format!("the run {run} asks nothing at the moment"))
            .hint(format!("`consort runs show {run}` tells where it stands"))),
        several => {
            let keys = several.iter().map(|step| step.key.clone()).collect();
            Err(Failure::usage(format!("the run {run} asks several things; name the step")).details(keys))
        }
    }
}

/// The JSON Schema of the answer; anything when the step does not show it.
fn form(step: &Step) -> Value {
    let input = step.input.as_ref().map(consort_types::Json::to_value);
    input.and_then(|input| input.get("form").cloned()).unwrap_or(Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::{run::tests::id, tree::tests::step};
    use consort_types::{StepState, Timestamp, WaitingOn};

    fn question(key: &str) -> Step {
        let waiting_on = WaitingOn {
            kind: WaitKind::Approval,
            name: key.into(),
            since: Timestamp::from_millis(0),
            until: None,
            ahead: None,
            detail: "a person must answer".into(),
        };
        Step { kind: "await".into(), waiting_on: Some(waiting_on), ..step(key, None, StepState::Waiting) }
    }

    #[test]
    fn the_only_question_is_meant() {
        let steps = [step("a", None, StepState::Succeeded), question("b")];
        assert_eq!(asking(&steps, id(), None).unwrap().key, "b");
        assert_eq!(asking(&steps[..1], id(), None).unwrap_err().exit, Exit::NotFound);
        assert_eq!(asking(&steps, id(), Some("c")).unwrap_err().exit, Exit::NotFound);
    }

    #[test]
    fn of_several_questions_one_must_be_named() {
        let steps = [question("b"), question("c")];
        let failure = asking(&steps, id(), None).unwrap_err();
        assert_eq!((failure.exit, failure.details), (Exit::Usage, vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!(asking(&steps, id(), Some("c")).unwrap().key, "c");
    }
}
