//! Every key of the project file, by where it stands. The reader, the hints and the JSON Schema agree
//! because they all read these tables.

use consort_expr::nearest;

/// The keys of one kind of map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    /// What the map is, for messages: "a service".
    pub what: &'static str,
    /// Its keys.
    pub keys: &'static [&'static str],
}

impl Keys {
    pub(crate) fn contains(&self, key: &str) -> bool {
        self.keys.contains(&key)
    }

    /// All keys, as a hint.
    pub(crate) fn hint(&self) -> String {
        format!("its keys: {}", self.keys.join(", "))
    }

    /// The nearest right key, else all of them.
    pub(crate) fn hint_for(&self, key: &str) -> String {
        match nearest(key, self.keys.iter().copied()) {
            Some(right) => format!("did you mean `{right}`?"),
            None => self.hint(),
        }
    }
}

macro_rules! keys {
    ($($name:ident = $what:literal: $($key:literal)*;)*) => {
        $(pub(crate) const $name: Keys = Keys { what: $what, keys: &[$($key),*] };)*
    };
}

keys! {
    PROJECT = "a project file": "name" "include" "services" "workflows" "triggers" "pools" "alerts" "notify" "secrets";
    SERVICE = "a service": "source" "setup" "command" "exec" "image" "url" "openapi" "environment" "env_file"
        "secrets" "headers" "healthcheck" "stop_grace_period" "restart" "scale" "resources" "rollout"
        "operations" "description";
    HEALTHCHECK = "a healthcheck": "path" "tcp" "test" "interval" "timeout" "retries" "start_period";
    SCALE = "`scale`": "min" "max" "concurrency" "idle" "wait";
    ROLLOUT = "`rollout`": "strategy" "max_surge" "max_unavailable" "canary" "monitor" "progress_deadline"
        "roll_back_when";
    ROLL_BACK_WHEN = "`roll_back_when`": "max_failure_ratio" "min_calls" "failed_starts";
    OPERATION = "an operation": "method" "path" "input" "input_schema" "output" "output_schema" "timeout" "retry"
        "heartbeat" "use" "idempotent" "description";
    RETRY = "`retry`": "attempts" "delay" "backoff" "max_delay" "jitter" "when" "clean";
    USE = "an entry of `use`": "take" "settle";
    WORKFLOW = "a workflow": "input" "input_schema" "output" "concurrency" "timeout" "on_failure" "retry" "finally"
        "tags" "priority" "pools" "steps" "description";
    CONCURRENCY = "`concurrency`": "limit" "key" "when_full";
    STEP = "a step": "call" "with" "steps" "switch" "value" "loop" "wait" "await" "emit" "run" "fail" "detach"
        "after" "when" "for_each" "as" "max_parallel" "tolerate" "batch" "first" "background" "key" "item_after"
        "retry" "timeout" "on_timeout" "cache" "undo" "resolve" "catch" "finally" "use" "priority" "delivery"
        "output" "description";
    BRANCH = "a branch": "call" "with" "steps" "switch" "value" "loop" "wait" "await" "emit" "run" "fail" "detach"
        "after" "when" "for_each" "as" "max_parallel" "tolerate" "batch" "first" "background" "key" "item_after"
        "retry" "timeout" "on_timeout" "cache" "undo" "resolve" "catch" "finally" "use" "priority" "delivery"
        "output" "description" "else";
    CALL = "a call": "call" "with";
    LOOP = "a loop": "carry" "next" "until" "max" "delay" "steps" "output";
    WAIT = "`wait`": "until";
    AWAIT = "`await`": "event" "where" "signal" "approval";
    APPROVAL = "an approval": "ask" "show" "form" "to" "notify";
    EMIT = "`emit`": "type" "subject" "data";
    FAIL = "`fail`": "code" "message" "details";
    CACHE = "`cache`": "for" "key";
    POOL = "a pool": "size" "rate" "budget" "when_empty" "reset" "key";
    SECRET = "a secret": "environment" "file";
    TRIGGER = "a trigger": "schedule" "every" "event" "webhook" "files" "run" "with" "where" "key" "debounce"
        "throttle" "paused" "tags" "timezone" "start" "end" "jitter" "catch_up" "overlap" "absent" "description";
    WEBHOOK = "a webhook": "path" "secret" "preset" "header" "prefix" "unsigned";
    ALERT = "an alert": "failures" "failure_ratio" "longer_than" "waiting_longer_than" "no_success_for" "incidents"
        "crash_loops" "rolled_back" "within" "workflow" "service" "step" "code" "notify" "run" "pause"
        "description";
    CHANNEL = "a channel": "webhook" "slack" "email" "command";
}

/// The keys that say what a step does; each step has one.
pub(crate) const BODIES: &[&str] =
    &["call", "steps", "switch", "value", "loop", "wait", "await", "emit", "run", "fail"];
