//! What an editor shows beside a key.

/// What a key means in a map; the map is named as [`crate::keys`] names it.
pub(super) fn key(what: &str, key: &str) -> &'static str {
    let of_map = match what {
        "a project file" => project(key),
        "a service" => service(key),
        "a healthcheck" => healthcheck(key),
        "`scale`" => scale(key),
        "`rollout`" | "`roll_back_when`" => rollout(key),
        "an operation" => operation(key),
        "`retry`" => retry(key),
        "an entry of `use`" => pool_use(key),
        "a workflow" => workflow(key),
        "`concurrency`" => concurrency(key),
        "a call" => step(key),
        "a loop" => turns(key),
        "`wait`" => Some("A time, as an expression: the step ends when it has come."),
        "`await`" | "an approval" => awaited(key),
        "`emit`" => emitted(key),
        "`fail`" => failure(key),
        "`cache`" => cache(key),
        "a pool" => pool(key),
        "a secret" => secret(key),
        "a trigger" => trigger(key),
        "a webhook" => webhook(key),
        "an alert" => alert(key),
        "a channel" => channel(key),
        _ => step(key),
    };
    of_map.unwrap_or(match key {
        "description" => "For people: shown beside it, changes nothing.",
        _ => "",
    })
}

fn project(key: &str) -> Option<&'static str> {
    Some(match key {
        "name" => "The namespace of everything in this project: `[a-z][a-z0-9-]*`.",
        "include" => "Further files, as paths or patterns relative to this one: `parts/*.yaml`.",
        "services" => "What is deployed, or called where it already runs.",
        "workflows" => "Steps in the order of their data.",
        "triggers" => "Rules that start runs.",
        "pools" => "Named capacities that replicas and calls hold a part of.",
        "alerts" => "Rules that tell people.",
        "notify" => "Channels by which people are told.",
        "secrets" => "Values that are masked wherever they would show.",
        _ => return None,
    })
}

fn service(key: &str) -> Option<&'static str> {
    Some(match key {
        "source" => "Folder with the code; copied at deploy into an immutable revision.",
        "setup" => "Commands that run once per revision, in its folder, before the first replica.",
        "command" => "A long-lived HTTP server on 127.0.0.1:$PORT: a text for the shell, or a list of words.",
        "exec" => "A process per call: input on stdin, output on stdout, both JSON.",
        "image" => "A container image.",
        "url" => "Someone else's server.",
        "openapi" => "An OpenAPI document that names the operations.",
        "environment" => "Plain variables of the process.",
        "env_file" => "A file of KEY=VALUE lines.",
        "secrets" => "Names of secrets; each is given as an upper-case variable.",
        "headers" => "Headers of each call to a `url` service; may hold `${secrets.name}`.",
        "healthcheck" => "How health is judged; without one: ready when the port accepts.",
        "stop_grace_period" => "From SIGTERM to SIGKILL (10s).",
        "restart" => "What happens when a replica exits (always).",
        "scale" => "How many replicas, by what measure.",
        "resources" => {
            "What a replica holds of the pools while it lives: `cpu: 0.5`, `memory: 512Mi`, any pool."
        }
        "rollout" => "How a new revision comes in.",
        "operations" => "The callable entries of the service, by name.",
        _ => return None,
    })
}

fn healthcheck(key: &str) -> Option<&'static str> {
    Some(match key {
        "path" => "GET of this path must answer 200 to 399.",
        "tcp" => "The port must accept.",
        "test" => "A command that must end with 0.",
        "interval" => "From one probe to the next (2s).",
        "timeout" => "Bound of one probe (1s).",
        "retries" => "Failures in a row until a ready replica counts as unhealthy (3).",
        "start_period" => "How long a starting replica may fail its probes (30s).",
        _ => return None,
    })
}

fn scale(key: &str) -> Option<&'static str> {
    Some(match key {
        "min" => "At least so many replicas (1); 0 scales to zero.",
        "max" => "At most so many replicas (1).",
        "concurrency" => "Calls in flight per replica (16).",
        "idle" => "Without calls for so long: down to `min` (60s).",
        "wait" => "Target for the time that calls spend queueing, or `none`.",
        _ => return None,
    })
}

fn rollout(key: &str) -> Option<&'static str> {
    Some(match key {
        "strategy" => {
            "New beside old a few at a time, all old ones first, or a share of the calls first (rolling)."
        }
        "max_surge" => "Replicas over the wanted number while it lasts (1).",
        "max_unavailable" => "Replicas under the wanted number while it lasts (0).",
        "canary" => "Share of the calls that goes to the new revision first (10%).",
        "monitor" => "How long the new revision is watched (30s).",
        "progress_deadline" => "Without progress for so long it has failed (10m).",
        "roll_back_when" => "When the old revision comes back by itself, or `never`.",
        "max_failure_ratio" => "Failed calls of all, 0 to 1 (0.2).",
        "min_calls" => "Judged from so many calls on (10).",
        "failed_starts" => "Starts that failed (3).",
        _ => return None,
    })
}

fn operation(key: &str) -> Option<&'static str> {
    Some(match key {
        "method" => "HTTP method (POST).",
        "path" => "HTTP path (`/name`); `{field}` takes a field of the input.",
        "input" => "What it takes, as a short type; without it `{}`.",
        "input_schema" => "What it takes, as JSON Schema 2020-12.",
        "output" => "What it gives, as a short type; without it anything.",
        "output_schema" => "What it gives, as JSON Schema 2020-12.",
        "timeout" => "Bound of one try, from sending, without queueing (60s).",
        "retry" => "How calls are tried again that have no `retry` of their own.",
        "heartbeat" => "After a 202: how long without a sign of life until the try is lost (30s).",
        "use" => "Permits of pools that each call holds.",
        "idempotent" => "Whether calling twice is the same as once.",
        _ => return None,
    })
}

fn retry(key: &str) -> Option<&'static str> {
    Some(match key {
        "attempts" => "Tries in all, the first included (3).",
        "delay" => "Before the second try (1s).",
        "backoff" => "Factor from one delay to the next (2).",
        "max_delay" => "The longest delay (1m).",
        "jitter" => "Share of the delay that is drawn at random on top or off (0.2).",
        "when" => "Replaces the test whether the error is retryable; sees `error`.",
        "clean" => {
            "Undoes what the failed try had completed before the new one: true, or from which new try on."
        }
        _ => return None,
    })
}

fn pool_use(key: &str) -> Option<&'static str> {
    Some(match key {
        "take" => "How much is held.",
        "settle" => "The true amount, known afterwards; sees `output`.",
        _ => return None,
    })
}

fn workflow(key: &str) -> Option<&'static str> {
    Some(match key {
        "input" => "What a start must bring, as a short type.",
        "input_schema" => "What a start must bring, as JSON Schema 2020-12.",
        "output" => "What the run gives; without it a map of its steps' outputs.",
        "concurrency" => "How many runs may be live at once.",
        "timeout" => "Bound of a run from its start, without queueing, undo and `finally`.",
        "on_failure" => {
            "What becomes of a failed run: undo what was completed, keep it, or pause for a person (undo)."
        }
        "retry" => "Whether a failed run is tried again.",
        "finally" => "Steps that run last, once, however the run ends.",
        "tags" => "Texts by name by which lists filter; may use `input`.",
        "priority" => "-100 to 100 (0); waiting raises it slowly.",
        "pools" => "Pools of each run, shared with its children.",
        "steps" => "The steps by name; their order is that of their data.",
        _ => return None,
    })
}

fn concurrency(key: &str) -> Option<&'static str> {
    Some(match key {
        "limit" => "At most so many live runs, for each key.",
        "key" => "Splits the limit; sees `input`.",
        "when_full" => "At the limit a start waits, is refused, or cancels the oldest run (queue).",
        _ => return None,
    })
}

fn step(key: &str) -> Option<&'static str> {
    Some(match key {
        "call" => "Calls `service.operation`.",
        "with" => "The input: a map, or one expression.",
        "steps" => "A group: steps that see each other.",
        "switch" => "The first branch whose `when` holds.",
        "value" => "Evaluates to its output.",
        "loop" => "Turns of steps until a condition holds.",
        "wait" => "A duration, or `{ until: TIME }`. Holds no slot.",
        "await" => "Waits for an event, a signal or an approval.",
        "emit" => "Sends an event.",
        "run" => "Runs another workflow and gives its output.",
        "fail" => "Fails, on purpose.",
        "detach" => "Does not wait for the child: gives its id at once.",
        "after" => "Steps that must be done first, beside those that expressions name.",
        "when" => "False: the step alone is skipped; its output is null.",
        "else" => "The branch that is taken when no other is; last.",
        "for_each" => "A list: the step runs once for each item.",
        "as" => "What expressions call the item, instead of `item`.",
        "max_parallel" => "At most so many items at once (64).",
        "tolerate" => "So many items may fail, as a number or a share: `3`, `5%`.",
        "batch" => "`item` is a list of at most so many.",
        "first" => "Done when so many have succeeded; the others are cancelled.",
        "background" => "The run does not wait for the step.",
        "key" => "On a call the Idempotency-Key; beside `for_each` the name of each item.",
        "item_after" => "Keys of the items that must be done before this one.",
        "retry" => "How it is tried again.",
        "timeout" => "On a call: of one try. Else: from ready to done.",
        "on_timeout" => "What takes the place of the answer when the time is over.",
        "cache" => "Reuse of earlier results.",
        "undo" => "How the completed step is undone; sees `output`.",
        "resolve" => "Asks what became of a call in doubt; sees `key`.",
        "catch" => "What takes over when the step failed; sees `error`.",
        "finally" => "Steps that run when this one ends, however it ends.",
        "use" => "Permits of pools that the call holds while it is in flight.",
        "priority" => "-100 to 100, above the workflow's.",
        "delivery" => "How often a call may take effect (at_least_once).",
        "output" => "Shapes the output; sees what the step gave as `output`.",
        _ => return None,
    })
}

fn turns(key: &str) -> Option<&'static str> {
    Some(match key {
        "carry" => "What the first turn sees as `carry`.",
        "next" => "The next `carry`; fields that it does not name stay.",
        "until" => "True: done. Sees the turn's steps, `carry` and `index`.",
        "max" => "Turns until the loop fails with kind `limit`.",
        "delay" => "Between two turns.",
        "steps" => "The steps of a turn.",
        "output" => "What the loop gives; without it the map of the last turn's steps.",
        _ => return None,
    })
}

fn awaited(key: &str) -> Option<&'static str> {
    Some(match key {
        "event" => "The type of the event.",
        "where" => "Which events match; sees `event`.",
        "signal" => "The name of the signal.",
        "approval" => "A person's answer to a form.",
        "ask" => "The question.",
        "show" => "What to look at before answering.",
        "form" => "What the answer must look like, as a short type (`{ approved: boolean }`).",
        "to" => "Who is asked.",
        "notify" => "Channels that hear of it.",
        _ => return None,
    })
}

fn emitted(key: &str) -> Option<&'static str> {
    Some(match key {
        "type" => "The type of the CloudEvent.",
        "subject" => "Its subject.",
        "data" => "Its data.",
        _ => return None,
    })
}

fn failure(key: &str) -> Option<&'static str> {
    Some(match key {
        "code" => "The code of the error (FAILED).",
        "message" => "What went wrong, for people.",
        "details" => "More about it.",
        _ => return None,
    })
}

fn cache(key: &str) -> Option<&'static str> {
    Some(match key {
        "for" => "How long a result is good.",
        "key" => "Takes the place of operation and input as the key.",
        _ => return None,
    })
}

fn pool(key: &str) -> Option<&'static str> {
    Some(match key {
        "size" => "So much at once.",
        "rate" => "So much in a time: `600/1m`.",
        "budget" => "So much in all.",
        "when_empty" => "An empty budget makes calls wait, pauses the run for a person, or fails it (wait).",
        "reset" => "When a budget is full again.",
        "key" => "Makes one pool for each key.",
        _ => return None,
    })
}

fn secret(key: &str) -> Option<&'static str> {
    Some(match key {
        "environment" => "A variable of the server's environment.",
        "file" => "A file, relative to this one.",
        _ => return None,
    })
}

fn trigger(key: &str) -> Option<&'static str> {
    Some(match key {
        "schedule" => "A line of cron: `30 9 * * MON-FRI`.",
        "every" => "A time between two runs.",
        "event" => "The type of the event, `*` as wildcard.",
        "webhook" => "A path at which requests come in.",
        "files" => "A pattern: once for each content that appears.",
        "run" => "The workflow that is started.",
        "with" => "Its input; sees `event`.",
        "where" => "Which events count; sees `event`.",
        "key" => "One run for each key.",
        "debounce" => "Starts when nothing has come for so long.",
        "throttle" => "At most so many starts in a time: `10/1m`.",
        "paused" => "Starts nothing until it is resumed.",
        "tags" => "Tags of the runs.",
        "timezone" => "The zone in which the schedule is read (UTC).",
        "start" => "Not before this time.",
        "end" => "Not after this time.",
        "jitter" => "Starts are spread at random over so long.",
        "catch_up" => "What becomes of slots that were missed (latest).",
        "overlap" => "What becomes of a slot while the run before still lives (skip).",
        "absent" => "Fires when no event of the key has come for so long.",
        _ => return None,
    })
}

fn webhook(key: &str) -> Option<&'static str> {
    Some(match key {
        "path" => "Where it listens: /api/v1/hooks/{path}.",
        "secret" => "The secret with which senders sign.",
        "preset" => "Whose way of signing it is.",
        "header" => "The header with the signature.",
        "prefix" => "What stands before the signature in the header.",
        "unsigned" => "Takes requests from anybody.",
        _ => return None,
    })
}

fn alert(key: &str) -> Option<&'static str> {
    Some(match key {
        "failures" => "So many failed runs.",
        "failure_ratio" => "Such a share of runs failed, 0 to 1.",
        "longer_than" => "A run takes longer.",
        "waiting_longer_than" => "Something waits longer.",
        "no_success_for" => "No run has succeeded for so long.",
        "incidents" => "So many open incidents.",
        "crash_loops" => "So many crashes of a service in a row.",
        "rolled_back" => "A rollout went back.",
        "within" => "Counted over the last such time.",
        "workflow" => "Of this workflow only.",
        "service" => "Of this service only.",
        "step" => "Of this step only.",
        "code" => "Of errors with this code only.",
        "notify" => "The channels that are told.",
        "run" => "A workflow that is started.",
        "pause" => "Pauses what the alert is about.",
        _ => return None,
    })
}

fn channel(key: &str) -> Option<&'static str> {
    Some(match key {
        "webhook" => "A URL that gets the alert as JSON.",
        "slack" => "An incoming webhook of Slack.",
        "email" => "Addresses.",
        "command" => "A command that gets the alert on stdin.",
        _ => return None,
    })
}
