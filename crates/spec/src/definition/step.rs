//! Steps and the scopes that hold them.

use super::{Call, Retry, Schema, Tolerate, Use};
use consort_expr::{Expr, Template, Type};
use consort_types::{FieldError, Json, Name};
use std::time::Duration;

/// A step of a workflow, by its place in [`super::Workflow::steps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// A scope of a workflow, by its place in [`super::Workflow::scopes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub u32);

/// Steps that see each other by name. The top of a workflow, a group, a turn of a loop and a `finally` hold
/// named steps; a branch of a switch and a catch hold one step without a name.
#[derive(Debug)]
pub struct Scope {
    /// The step whose body this is; none at the top and in the workflow's `finally`.
    pub owner: Option<StepId>,
    /// The steps, in the order of the file.
    pub steps: Vec<StepId>,
}

/// How the key of a step goes on from its parent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart {
    /// `.name`: a step by its name, `else`, `catch`.
    Name(Name),
    /// `[0]`: a branch of a switch by its place.
    Index(u32),
}

/// One step of the definition.
#[derive(Debug)]
pub struct Step {
    /// Its own id.
    pub id: StepId,
    /// The scope that holds it.
    pub scope: ScopeId,
    /// Its place in [`Scope::steps`].
    pub position: u32,
    /// How its key goes on from its parent's.
    pub key_part: KeyPart,
    /// Path in the definition, for graphs and messages: `fields[].parse`, `decision.else`.
    pub path: String,
    /// False: the step alone is skipped. Evaluated when `waits_for` is done.
    pub when: Option<Expr>,
    /// The steps, of this scope or an enclosing one, that must be done first: those that `after` lists or
    /// that an expression of this step names (for a group: of its `when` and `for_each`; for a switch: of
    /// its branches' `when`). Sorted, each once.
    pub waits_for: Vec<StepId>,
    /// Those of `waits_for` that only `after` lists; for graphs.
    pub after: Vec<StepId>,
    /// One execution of the body for each item of a list.
    pub for_each: Option<ForEach>,
    /// What it does.
    pub body: Body,
    /// Replaces the operation's; for other bodies the whole step is tried again.
    pub retry: Option<Retry>,
    /// On a call: of one try. On others: from ready to done.
    pub timeout: Option<Duration>,
    /// What takes the place of the output when the time of an `await` is over.
    pub on_timeout: Option<OnTimeout>,
    /// How the completed step is undone; its expressions also see `output`.
    pub undo: Option<Call>,
    /// Asks what became of a call in doubt; sees `key`.
    pub resolve: Option<Call>,
    /// What takes over when the step failed; the first that matches.
    pub catch: Vec<Catch>,
    /// Run when the step ends, however it ends.
    pub finally: Option<ScopeId>,
    /// Reuse of earlier results.
    pub cache: Option<Cache>,
    /// Permits held while a call is in flight.
    pub uses: Vec<Use>,
    /// -100 to 100, above the workflow's.
    pub priority: Option<i32>,
    /// The run does not wait for it.
    pub background: bool,
    /// How often a call may take effect.
    pub delivery: Delivery,
    /// The `Idempotency-Key`, set by hand.
    pub key: Option<Template>,
    /// Shapes the output; sees the body's as `output`. For a group and a loop it also sees the inner steps.
    pub output: Option<Template>,
    /// The type of what one execution gives: of an item, where there is a `for_each`.
    pub gives: Type,
    /// The type of what others see: of a list, where there is a `for_each`; perhaps null, where there is a
    /// `when`.
    pub seen_as: Type,
    /// For people.
    pub description: Option<String>,
}

/// One execution of a body for each item of a list.
#[derive(Debug)]
pub struct ForEach {
    /// The list.
    pub list: Template,
    /// At most so many at once; 64 by default.
    pub max_parallel: u32,
    /// How many items may fail.
    pub tolerate: Option<Tolerate>,
    /// `item` is a list of at most so many.
    pub batch: Option<u32>,
    /// Done when so many have succeeded.
    pub first: Option<u32>,
    /// Names the items.
    pub key: Option<Template>,
    /// The keys of the items that must be done before this one.
    pub item_after: Option<Expr>,
    /// The name of the item in expressions; `item` and `index` without it.
    pub as_name: Option<Name>,
}

impl ForEach {
    /// What expressions call the item: `item`, or the name after `as`.
    pub fn item_name(&self) -> &str {
        self.as_name.as_ref().map_or("item", Name::as_str)
    }

    /// What expressions call its index: `index`, or the name after `as` with `_index`.
    pub fn index_name(&self) -> String {
        self.as_name.as_ref().map_or_else(|| "index".to_owned(), |name| format!("{name}_index"))
    }
}

/// What a step does.
#[derive(Debug)]
pub enum Body {
    /// Calls an operation.
    Call(Call),
    /// Runs the steps of a scope.
    Group {
        /// The steps.
        scope: ScopeId,
        /// Done when so many of its steps have succeeded.
        first: Option<u32>,
    },
    /// Runs the first branch whose condition holds; null when none does.
    Switch(Vec<Branch>),
    /// Evaluates to its output.
    Value(Template),
    /// Runs a scope again and again.
    Loop(Loop),
    /// Lets time pass.
    Wait(Wait),
    /// Waits for something from outside.
    Await(Await),
    /// Sends an event.
    Emit {
        /// Type of the CloudEvent.
        event_type: String,
        /// Its subject.
        subject: Option<Template>,
        /// Its data.
        data: Template,
    },
    /// Starts another workflow.
    Run {
        /// Which.
        workflow: Name,
        /// Its input.
        with: Template,
        /// Does not wait; the output is the id.
        detach: bool,
    },
    /// Fails.
    Fail(Fail),
}

impl Body {
    /// The word that names the body in the file and in the API.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Group { .. } => "steps",
            Self::Switch(_) => "switch",
            Self::Value(_) => "value",
            Self::Loop(_) => "loop",
            Self::Wait(_) => "wait",
            Self::Await(_) => "await",
            Self::Emit { .. } => "emit",
            Self::Run { .. } => "run",
            Self::Fail(_) => "fail",
        }
    }
}

/// One branch of a switch.
#[derive(Debug)]
pub struct Branch {
    /// None: `else`.
    pub when: Option<Expr>,
    /// Holds the one step of the branch.
    pub scope: ScopeId,
}

/// Turns of a scope.
#[derive(Debug)]
pub struct Loop {
    /// What the first turn sees as `carry`.
    pub carry: Option<Template>,
    /// The next `carry`; fields that it does not name stay as they are.
    pub next: Option<Template>,
    /// True: done.
    pub until: Expr,
    /// Turns until the loop fails with kind `limit`.
    pub max: u32,
    /// Between two turns.
    pub delay: Option<Duration>,
    /// The steps of a turn.
    pub scope: ScopeId,
}

/// How long a `wait` lasts.
#[derive(Debug)]
pub enum Wait {
    /// So long, from when the step is ready.
    For(Duration),
    /// Until a time.
    Until(Template),
}

/// What an `await` waits for. Its time is [`Step::timeout`].
#[derive(Debug)]
pub struct Await {
    /// From where the answer comes.
    pub kind: AwaitKind,
}

/// From where the answer of an `await` comes.
#[derive(Debug)]
pub enum AwaitKind {
    /// The first matching event since the run began.
    Event {
        /// Its type, `*` as wildcard.
        event_type: String,
        /// Sees `event`.
        filter: Option<Expr>,
    },
    /// A named message to this run.
    Signal {
        /// Its name.
        name: Name,
    },
    /// A person's answer to a form.
    Approval {
        /// The question.
        ask: Template,
        /// What to look at before answering.
        show: Option<Template>,
        /// What the answer must look like.
        form: Schema,
        /// Who is asked.
        to: Option<Template>,
        /// Channels that hear of it.
        notify: Vec<Name>,
    },
}

/// What takes the place of the output when the time of an `await` is over.
#[derive(Debug)]
pub struct OnTimeout {
    /// The output.
    pub value: Template,
}

/// What takes over when a step failed.
#[derive(Debug)]
pub struct Catch {
    /// Whether it matches; sees `error`. None: always.
    pub when: Option<Expr>,
    /// Holds the one step that takes over.
    pub scope: ScopeId,
}

/// Reuse of earlier results.
#[derive(Debug)]
pub struct Cache {
    /// How long a result is good.
    pub keep: Duration,
    /// Replaces operation and input as the key.
    pub key: Option<Template>,
}

/// How often a call may take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// At least once, with a stable `Idempotency-Key`.
    #[default]
    AtLeastOnce,
    /// At most once; in doubt it becomes an incident.
    AtMostOnce,
}

/// A failure on purpose.
#[derive(Debug)]
pub struct Fail {
    /// Its code, `FAILED` by default.
    pub code: Option<Template>,
    /// Its message.
    pub message: Template,
    /// More about it.
    pub details: Option<Template>,
}

/// Which output of a step is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What others see: of a `for_each` the list.
    Whole,
    /// What one item gives.
    Item,
}

impl Step {
    /// Checks an output that did not come from the step's own body: given by hand, or taken from another run.
    /// Fills in defaults where an operation's schema has some.
    ///
    /// # Errors
    /// Every field that does not fit.
    pub fn fits(&self, output: &Json, extent: Extent) -> Result<Json, Vec<FieldError>> {
        let is_list = self.for_each.is_some() && extent == Extent::Whole;
        match &self.body {
            // The operation's own schema says more than the type that expressions see.
            Body::Call(call) if !is_list && self.output.is_none() && self.catch.is_empty() => {
                match (self.when.is_some() && extent == Extent::Whole, output.is_null()) {
                    (true, true) => Ok(output.clone()),
                    _ => call.operation.output.check(output),
                }
            }
            _ => {
                let type_ = if extent == Extent::Whole { &self.seen_as } else { &self.gives };
                Schema::of_type(type_.clone()).check(output)
            }
        }
    }
}
