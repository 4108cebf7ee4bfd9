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
