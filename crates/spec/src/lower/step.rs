//! One step: what every kind of step has in common. What it does is read by `body`.

use super::{
    body,
    draft::{Assumed, Draft, Expects, FrameKind, Role, Site, SiteValue, StepNotes},
    expression::{Condition, Located},
    fields::{self, Fields},
    foreach, policy, pools,
    workflow::Surroundings,
};
use crate::{
    codes,
    definition::{Body, Cache, Catch, Delivery, KeyPart, OnTimeout, ScopeId, Step, StepId},
    diagnostics::Span,
    features::Feature,
    keys::{self, Keys},
    yaml::{Key, Node},
};
use consort_expr::{Template, Type};
use consort_types::{Name, NameKind};
use serde_json::Value;

/// The deepest nesting of steps (contract, section 5).
const NESTING_MAX: usize = 64;

/// What a step is called and where it stands.
pub(crate) struct Place {
    pub scope: ScopeId,
    pub key_part: KeyPart,
    pub path: String,
    pub span: Span,
    pub depth: usize,
}

/// Reads the named steps of a scope.
pub(crate) fn steps<'a>(
    around: &Surroundings<'a>,
    draft: &mut Draft<'a>,
    scope: ScopeId,
    prefix: &str,
    node: &'a Node,
    depth: usize,
) {
    let report = around.context.report;
    if depth > NESTING_MAX {
        let message = format!("steps are nested at most {NESTING_MAX} deep");
        report.error(
            node.span,
            codes::E_LIMIT,
            message,
            Some("move the inner part to a workflow of its own".to_owned()),
        );
        return;
    }
    let named = fields::named(report, node, "`steps`", NameKind::Step);
    // Names first: a step may name one that stands below it.
    let mut ids = Vec::with_capacity(named.len());
    for (name, key, node) in named {
        let place = Place {
            scope,
            key_part: KeyPart::Name(name.clone()),
            path: format!("{prefix}{name}"),
            span: key.span,
            depth,
        };
        hidden_name(around, draft, scope, key);
        let id = reserve(draft, &place);
        draft.frames[scope.0 as usize].names.insert(&key.text, id);
        ids.push((id, place, key, node));
    }
    for (id, place, key, node) in ids {
        if let Some(fields) = Fields::open(report, key.span, node, &keys::STEP) {
            step(around, draft, id, &place, &fields, When::OfStep);
        } else {
            draft.notes[id.0 as usize].opaque = true;
        }
    }
}

/// An inner name may not hide an outer one.
fn hidden_name(around: &Surroundings<'_>, draft: &Draft<'_>, scope: ScopeId, key: &Key) {
    let outer =
        draft.enclosing(scope).skip(1).find_map(|scope| draft.frame(scope).names.get(key.text.as_str()));
    if let Some(outer) = outer {
        let line = draft.notes[outer.0 as usize].name.line;
        let message = format!("`{}` hides the step of that name in line {line}", key.text);
        let hint = "give the inner step another name".to_owned();
        around.context.report.error(key.span, codes::E_HIDDEN_NAME, message, Some(hint));
    }
}

/// Makes room for a step, so that inner steps get later ids and others can name it.
fn reserve(draft: &mut Draft<'_>, place: &Place) -> StepId {
    let id = StepId(draft.steps.len() as u32);
    let position = draft.scopes[place.scope.0 as usize].steps.len() as u32;
    draft.scopes[place.scope.0 as usize].steps.push(id);
    draft.steps.push(Step {
        id,
        scope: place.scope,
        position,
        key_part: place.key_part.clone(),
        path: place.path.clone(),
        when: None,
        waits_for: Vec::new(),
        after: Vec::new(),
        for_each: None,
        body: Body::Value(Template::literal(Value::Null)),
        retry: None,
        timeout: None,
        on_timeout: None,
        undo: None,
        resolve: None,
        catch: Vec::new(),
        finally: None,
        cache: None,
        uses: Vec::new(),
        priority: None,
        background: false,
        delivery: Delivery::default(),
        key: None,
        output: None,
        gives: Type::Any,
        seen_as: Type::Any,
        description: None,
    });
    draft.notes.push(StepNotes { name: place.span, after: Vec::new(), opaque: false, when: None });
    id
}

/// To whom a `when` among the keys of a step belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// The step: false skips it.
    OfStep,
    /// The branch or the `catch` that holds the step; read by whoever reads that.
    OfHolder,
}

/// Reads a step without a name, in a scope of its own: of a branch, of a `catch`.
pub(crate) fn unnamed<'a>(
    around: &Surroundings<'a>,
    draft: &mut Draft<'a>,
    place: &Place,
    node: &'a Node,
    keys: &Keys,
) {
    let id = reserve(draft, place);
    match Fields::open(around.context.report, place.span, node, keys) {
        Some(fields) => step(around, draft, id, place, &fields, When::OfHolder),
        None => draft.notes[id.0 as usize].opaque = true,
    }
}

/// Reads everything of a step.
fn step<'a>(
    around: &Surroundings<'a>,
    draft: &mut Draft<'a>,
    id: StepId,
    place: &Place,
    fields: &Fields<'a>,
    when: When,
) {
    let context = around.context;
    let given: Vec<&str> = keys::BODIES.iter().copied().filter(|key| fields.has(key)).collect();
    let kind = match given.as_slice() {
        [] => {
            if !fields.misspells(keys::BODIES) {
                let hint = format!("one of {}", keys::BODIES.join(", "));
                let message = "the step does not say what it does";
                context.report.error(fields.owner, codes::E_MISSING_KEY, message, Some(hint));
            }
            draft.notes[id.0 as usize].opaque = true;
            return;
        }
        [kind] => *kind,
        [first, second, ..] => {
            let message = format!("a step does one thing: `{first}` and `{second}` exclude each other");
            context.report.error(fields.place(second), codes::E_KEY_CONFLICT, message, None);
            draft.notes[id.0 as usize].opaque = true;
            return;
        }
    };
    misplaced(around, fields, kind);
    let mut read = Reading { around, draft, id, scope: place.scope, depth: place.depth };
    read.order(fields, when);
    foreach::for_each(&mut read, fields);
    body::body(&mut read, fields, kind);
    read.time(fields);
    read.sharing(fields);
    read.failure(fields, place);
    // Of a group and a loop it also sees what is inside, and was read with that.
    if !matches!(kind, "steps" | "loop") {
        let output = read.value(fields, "output", Role::Output, &["output"], Expects::Anything);
        read.step().output = output;
    }
    let step = read.step();
    step.background = fields.boolean("background").unwrap_or(false);
    step.description = fields.text("description");
}

/// Keys that mean something on some steps only, and on which.
const ONLY_ON: &[(&str, &[&str])] = &[
    ("with", &["call", "run"]),
    ("detach", &["run"]),
    ("on_timeout", &["await"]),
    ("cache", &["call"]),
    ("use", &["call"]),
    ("resolve", &["call"]),
    ("delivery", &["call"]),
    ("undo", &["call", "steps", "switch", "loop", "emit", "run"]),
    ("retry", &["call", "steps", "switch", "loop", "emit", "run"]),
    ("timeout", &["call", "steps", "switch", "loop", "await", "emit", "run"]),
];

/// Keys that mean something beside `for_each` only.
const WITH_FOR_EACH: &[&str] = &["as", "max_parallel", "tolerate", "batch", "item_after"];

fn misplaced(around: &Surroundings<'_>, fields: &Fields<'_>, kind: &str) {
    let report = around.context.report;
    let refuse = |key: &str, what: String| {
        report.error(fields.place(key), codes::E_KEY_NOT_HERE, format!("`{key}` {what}"), None);
    };
    for (key, kinds) in ONLY_ON.iter().filter(|(key, kinds)| fields.has(key) && !kinds.contains(&kind)) {
        refuse(key, format!("means nothing on a `{kind}` step (only on {})", kinds.join(", ")));
    }
    let each = fields.has("for_each");
    for key in WITH_FOR_EACH.iter().filter(|key| !each && fields.has(key)) {
        refuse(key, "means something only beside `for_each`".to_owned());
    }
    if fields.has("first") && !each && kind != "steps" {
        refuse("first", "means something on a group or beside `for_each`".to_owned());
    }
    if fields.has("key") && !each && kind != "call" {
        refuse("key", "means something on a `call` or beside `for_each`".to_owned());
    }
}

/// A step in the middle of being read.
pub(crate) struct Reading<'r, 'a> {
    pub around: &'r Surroundings<'a>,
    pub draft: &'r mut Draft<'a>,
    pub id: StepId,
    pub scope: ScopeId,
    pub depth: usize,
}

impl<'a> Reading<'_, 'a> {
    pub(crate) fn step(&mut self) -> &mut Step {
        self.draft.step_mut(self.id)
    }

    /// Marks that the type of the step's output cannot be known.
    pub(crate) fn opaque(&mut self) {
        self.draft.notes[self.id.0 as usize].opaque = true;
    }

    /// Reads the value of a key and notes its expressions.
    pub(crate) fn value(
        &mut self,
        fields: &Fields<'a>,
        key: &str,
        role: Role,
        sees: &'static [&'static str],
        expects: Expects,
    ) -> Option<Template> {
        let (_, node) = fields.entry(key)?;
        Some(self.located(Located::read(self.around.context, node), role, sees, expects))
    }

    /// Notes the expressions of a value.
    pub(crate) fn located(
        &mut self,
        value: Located<'a>,
        role: Role,
        sees: &'static [&'static str],
        expects: Expects,
    ) -> Template {
        let template = value.template();
        self.site(SiteValue::Value(value), role, sees, None, expects);
        template
    }

    /// Reads a condition and notes it.
    pub(crate) fn condition(
        &mut self,
        node: &'a Node,
        sees: &'static [&'static str],
        inner: Option<ScopeId>,
        expects: Expects,
    ) -> Option<consort_expr::Expr> {
        let condition = Condition::read(self.around.context, node)?;
        let expr = condition.expr.clone();
        self.site(SiteValue::Condition(condition), Role::Other, sees, inner, expects);
        Some(expr)
    }

    /// Notes a place with expressions.
    pub(crate) fn site(
        &mut self,
        value: SiteValue<'a>,
        role: Role,
        sees: &'static [&'static str],
        inner: Option<ScopeId>,
        expects: Expects,
    ) {
        let (step, scope) = (Some(self.id), self.scope);
        let (assumes, names) = (Vec::new(), Vec::new());
        self.draft.sites.push(Site { step, scope, value, role, sees, inner, expects, assumes, names });
    }

    /// `when`, `after`.
    fn order(&mut self, fields: &Fields<'a>, when: When) {
        if when == When::OfStep
            && let Some(node) = fields.get("when")
            && let Some(when) = Condition::read(self.around.context, node)
        {
            self.step().when = Some(when.expr.clone());
            self.site(SiteValue::Condition(when), Role::When, &[], None, Expects::Condition);
            let when = Assumed { site: self.draft.newest_site(), truth: true };
            self.draft.notes[self.id.0 as usize].when = Some(when);
        }
        let Some(node) = fields.get("after") else { return };
        let report = self.around.context.report;
        let items = node.items().unwrap_or(std::slice::from_ref(node));
        for item in items {
            match item.text() {
                Some(name) => self.draft.notes[self.id.0 as usize].after.push((name, item.span)),
                None => {
                    let message = format!("`after` lists names of steps, and this is {}", item.describe());
                    report.error(item.span, codes::E_VALUE, message, None);
                }
            }
        }
    }

    /// `timeout`, `on_timeout`, `retry`.
    fn time(&mut self, fields: &Fields<'a>) {
        self.step().timeout = fields.duration("timeout");
        if fields.has("on_timeout") && !fields.has("timeout") {
            let message = "`on_timeout` needs a `timeout`";
            let hint = "add `timeout: 1h`, after which it takes the place of the answer".to_owned();
            let report = self.around.context.report;
            report.error(fields.place("on_timeout"), codes::E_MISSING_KEY, message, Some(hint));
        }
        let value = self.value(fields, "on_timeout", Role::OnTimeout, &[], Expects::Anything);
        self.step().on_timeout = value.map(|value| OnTimeout { value });
        let context = self.around.context;
        let retry = fields.get("retry").and_then(|node| policy::retry(context, fields.place("retry"), node));
        if let Some(located) = retry {
            if let Some(when) = located.when {
                self.site(SiteValue::Condition(when), Role::Other, &["error"], None, Expects::Condition);
            }
            self.step().retry = Some(located.retry);
        }
    }

    /// `cache`, `use`, `priority`, `delivery`, `key`.
    fn sharing(&mut self, fields: &Fields<'a>) {
        let context = self.around.context;
        self.cache(fields);
        self.uses(fields);
        if fields.has("priority") {
            self.step().priority = fields.integer("priority", -100..=100).map(|value| value as i32);
        }
        if fields.has("background") {
            context.uses(Feature::Background, fields.place("background"));
        }
        let words = [("at_least_once", Delivery::AtLeastOnce), ("at_most_once", Delivery::AtMostOnce)];
        let delivery = fields.word("delivery", &words).unwrap_or_default();
        self.step().delivery = delivery;
        if delivery == Delivery::AtMostOnce && fields.has("retry") {
            let message = "`delivery: at_most_once` and `retry` exclude each other";
            context.report.error(fields.place("retry"), codes::E_KEY_CONFLICT, message, None);
        }
        if !fields.has("for_each") {
            let key = self.value(fields, "key", Role::Other, &[], Expects::Anything);
            self.step().key = key;
        }
    }

    fn uses(&mut self, fields: &Fields<'a>) {
        let around = self.around;
        for used in pools::uses(around.context, fields, &around.known_pools()) {
            if let Some(span) = used.inherited {
                let pool = used.definition.pool.clone();
                self.draft.inherited_pools.push((pool, span));
            }
            // A number that stands there was looked at where it was read.
            if !matches!(used.take, Located::Literal(_)) {
                self.located(used.take, Role::Other, &[], Expects::Type(Type::Number));
            }
            if let Some(settle) = used.settle {
                let expects = Expects::Type(Type::Number);
                self.site(SiteValue::Condition(settle), Role::Other, &["output"], None, expects);
            }
            self.step().uses.push(used.definition);
        }
    }

    fn cache(&mut self, fields: &Fields<'a>) {
        let context = self.around.context;
        let Some(node) = fields.get("cache") else { return };
        if fields.has("undo") {
            let message = "`cache` and `undo` exclude each other: what was not done now cannot be undone";
            context.report.error(fields.place("cache"), codes::E_KEY_CONFLICT, message, None);
        }
        let Some(given) = Fields::open(context.report, fields.place("cache"), node, &keys::CACHE) else {
            return;
        };
        let keep = given.require("for").and_then(|_| given.duration("for"));
        let key = self.value(&given, "key", Role::Other, &[], Expects::Anything);
        self.step().cache = keep.map(|keep| Cache { keep, key });
    }

    /// `undo`, `resolve`, `catch`, `finally`.
    fn failure(&mut self, fields: &Fields<'a>, place: &Place) {
        self.step().undo = body::call_of(self, fields, "undo", &["output", "key"]);
        if fields.has("resolve") {
            self.step().resolve = body::call_of(self, fields, "resolve", &["key"]);
        }
        self.catch(fields, place);
        if let Some(node) = fields.get("finally") {
            let scope = self.draft.open(FrameKind::Finally, Some(self.id), Some(self.scope));
            self.step().finally = Some(scope);
            steps(self.around, self.draft, scope, &format!("{}.finally.", place.path), node, self.depth + 1);
        }
    }

    fn catch(&mut self, fields: &Fields<'a>, place: &Place) {
        let Some(node) = fields.get("catch") else { return };
        let items = node.items().unwrap_or(std::slice::from_ref(node));
        let mut always = false;
        for item in items {
            if always {
                let message = "this is never reached: the `catch` before it takes every error";
                let hint = "put the one without `when` last".to_owned();
                self.around.context.report.error(item.span, codes::E_UNREACHABLE, message, Some(hint));
                break;
            }
            always = item.get("when").is_none();
            let scope = self.draft.open(FrameKind::Catch, Some(self.id), Some(self.scope));
            let when = item.get("when").filter(|node| !node.is_null());
            let when = when.and_then(|node| self.condition(node, &["error"], None, Expects::Condition));
            if when.is_some() {
                let matched = Assumed { site: self.draft.newest_site(), truth: true };
                self.draft.frames[scope.0 as usize].assumes.push(matched);
            }
            self.step().catch.push(Catch { when, scope });
            let Ok(name) = Name::new("catch", NameKind::Snake) else { return };
            let place = Place {
                scope,
                key_part: KeyPart::Name(name),
                path: format!("{}.catch", place.path),
                span: if node.items().is_some() { item.span } else { fields.place("catch") },
                depth: self.depth + 1,
            };
            self.nested(&place, |reading, place| {
                unnamed(reading.around, reading.draft, place, item, &keys::STEP)
            });
        }
    }

    /// Goes one level down, if there is one.
    pub(crate) fn nested(&mut self, place: &Place, read: impl FnOnce(&mut Self, &Place)) {
        if place.depth > NESTING_MAX {
            let message = format!("steps are nested at most {NESTING_MAX} deep");
            self.around.context.report.error(place.span, codes::E_LIMIT, message, None);
        } else {
            read(self, place);
        }
    }

    /// The path of what is inside this step.
    pub(crate) fn inner_path(&self) -> String {
        let step = self.draft.step(self.id);
        if step.for_each.is_some() { format!("{}[]", step.path) } else { step.path.clone() }
    }
}
