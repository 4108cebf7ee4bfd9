//! The stable code of each kind of mistake. `E_…` keeps a project from being applied, `W_…` does not.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $($(#[$doc])* pub const $name: &str = stringify!($name);)*

        /// Every code with what it means, for the reference.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

codes! {
    /// The file is not there, too large, or cannot be read.
    E_FILE,
    /// The file is not UTF-8 text.
    E_ENCODING,
    /// Nothing in the file.
    E_EMPTY_FILE,
    /// Not YAML, or a part of YAML that is not read (aliases, tags, merge keys, several documents).
    E_YAML,
    /// A key stands twice in one map.
    E_DUPLICATE_KEY,
    /// One name is defined in two places.
    E_DUPLICATE_NAME,
    /// Files that include each other.
    E_INCLUDE_CIRCLE,
    /// A key that means nothing.
    E_UNKNOWN_KEY,
    /// A key that means something, but not here.
    E_KEY_NOT_HERE,
    /// Keys that exclude each other.
    E_KEY_CONFLICT,
    /// A key that must be there.
    E_MISSING_KEY,
    /// A name of the wrong alphabet or length, or a reserved one.
    E_NAME,
    /// A value of the wrong kind: a list for a map, a text for a number.
    E_VALUE,
    /// A duration without a unit, a size without a unit, a number out of range.
    E_QUANTITY,
    /// A path that leaves the project or is not there.
    E_PATH,
    /// A short type that is none.
    E_SHORT_TYPE,
    /// A JSON Schema that cannot be used.
    E_JSON_SCHEMA,
    /// An OpenAPI document that cannot be used.
    E_OPENAPI,
    /// An expression that cannot be parsed.
    E_EXPRESSION,
    /// `${…}` where none is evaluated.
    E_EXPRESSION_NOT_HERE,
    /// A name in an expression that nothing bears.
    E_UNKNOWN_NAME,
    /// A step that is not there, or not to be seen from here.
    E_UNKNOWN_STEP,
    /// A service that is not there.
    E_UNKNOWN_SERVICE,
    /// An operation that the service does not have.
    E_UNKNOWN_OPERATION,
    /// A workflow that is not there.
    E_UNKNOWN_WORKFLOW,
    /// A pool that is not there.
    E_UNKNOWN_POOL,
    /// A secret that is not there.
    E_UNKNOWN_SECRET,
    /// A channel of `notify` that is not there.
    E_UNKNOWN_CHANNEL,
    /// A field that the value does not have.
    E_UNKNOWN_FIELD,
    /// A field of the input that is missing.
    E_MISSING_INPUT,
    /// A field that the input does not have.
    E_EXTRA_INPUT,
    /// A value of the wrong type.
    E_TYPE,
    /// A value that is perhaps null where null is not taken.
    E_PERHAPS_NULL,
    /// A condition that is not boolean.
    E_CONDITION,
    /// A `for_each` over what is no list.
    E_FOR_EACH,
    /// Steps that wait for each other.
    E_CYCLE,
    /// A step that can never run.
    E_UNREACHABLE,
    /// An inner name that hides an outer one.
    E_HIDDEN_NAME,
    /// More of a resource than any pool has.
    E_RESOURCES,
    /// A schedule that never fires, or is none.
    E_SCHEDULE,
    /// More than a limit allows: nesting, steps, length.
    E_LIMIT,
    /// Legal in the language; this build cannot run it yet.
    E_NOT_YET,
    /// A step whose result nobody uses and that has no effect.
    W_UNUSED,
    /// A retry on an operation that is not idempotent by its own word.
    W_RETRY_NOT_IDEMPOTENT,
    /// A cache on an operation that is not idempotent by its own word.
    W_CACHE_NOT_IDEMPOTENT,
    /// A timeout or a wait that is longer than the time of what is around it.
    W_TIMEOUT_TOO_LONG,
    /// A step or a branch that no run can reach.
    W_UNREACHABLE,
}

/// What to do about a mistake of which nothing more exact is known.
pub(crate) fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        E_FILE => "is this the file that is meant? A project file is a text of at most 4 MiB",
        E_YAML => "look at the indentation and the quotes of this line",
        E_INCLUDE_CIRCLE => "take this one out: the file is read already",
        E_KEY_NOT_HERE => "take it out, or put it where it means something",
        E_KEY_CONFLICT => "keep one of them",
        E_NAME => "choose another name",
        E_PATH => "paths are relative to the file that holds them, and stay in the project",
        E_JSON_SCHEMA => {
            "write a schema of JSON Schema 2020-12, or a short type under the key without `_schema`"
        }
        E_EXPRESSION => "write `${ … }` around one CEL expression: names, fields, operators, functions",
        E_UNKNOWN_SERVICE | E_UNKNOWN_OPERATION | E_UNKNOWN_WORKFLOW => "define it, or correct the name",
        E_UNKNOWN_POOL => "define it under `pools`, or correct the name",
        E_UNKNOWN_SECRET => "define it under `secrets`, or correct the name",
        E_UNKNOWN_CHANNEL => "define it under `notify`, or correct the name",
        E_UNKNOWN_STEP => "a step sees those of its own scope and of the scopes around it",
        E_UNKNOWN_FIELD => "correct the name, or add the field where the value comes from",
        E_MISSING_INPUT => "give it under `with`, or make the field optional where it is defined (`name?`)",
        E_TYPE => "give a value of that type, or change the type where it is defined",
        E_FOR_EACH => "give a list: `[a, b]`, or a step's output that is one",
        E_QUANTITY => {
            "a quantity carries its unit: `500ms 2s 5m 1h 30d`, `512Mi 2Gi`; a count is a whole number"
        }
        E_VALUE => "`consort schema` gives an editor what may stand here",
        E_RESOURCES => "make the pool larger, or ask for less",
        E_LIMIT => "split it: a part can be a workflow of its own",
        _ => return None,
    })
}
