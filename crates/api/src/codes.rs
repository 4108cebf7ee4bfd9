//! The codes of refusals. A code keeps its meaning for ever; clients and people look for it.

/// One situation in which a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable code.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The situation in a few words.
    pub title: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $status:literal $title:literal;)*) => {
        $($(#[$doc])* pub const $name: &Code =
            &Code { name: stringify!($name), status: $status, title: $title };)*

        /// Every code that the API answers with.
        pub const ALL: &[&Code] = &[$($name),*];
    };
}

codes! {
    /// The body is no JSON.
    E_JSON 400 "The body is not JSON";
    /// A parameter behind the `?` is unknown or wrong.
    E_QUERY 400 "A query parameter does not fit";
    /// A cursor that no page of this list gave out.
    E_CURSOR 400 "The cursor is not one of this list";
    /// A header that cannot be read.
    E_HEADER 400 "A header does not fit";
    /// The body stopped before its end.
    E_BODY_BROKEN 400 "The body broke off";
    /// `Host` names somebody else: a page that was rebound to this address.
    E_HOST 403 "The request is meant for another host";
    /// The request comes from a page of another origin.
    E_ORIGIN 403 "The request comes from another page";
    /// No such route.
    E_NO_ROUTE 404 "There is no such route";
    /// No such thing.
    E_NOT_FOUND 404 "There is no such thing";
    /// The route exists, its methods are others.
    E_METHOD 405 "The route does not take this method";
    /// The body did not come in time.
    E_BODY_TIMEOUT 408 "The body did not come in time";
    /// Several namespaces, and none was named.
    E_NAMESPACE_AMBIGUOUS 409 "Several namespaces: say which";
    /// The idempotency key belongs to a start with another input.
    E_KEY_TAKEN 409 "The key was used with another input";
    /// The run has ended.
    E_RUN_ENDED 409 "The run has ended";
    /// Not possible in this state.
    E_NOT_NOW 409 "Not possible now";
    /// Somebody else was first.
    E_STALE 409 "Another answer was first";
    /// More bytes than a request may have.
    E_TOO_LARGE 413 "The request is too large";
    /// The body is declared to be something else than JSON.
    E_MEDIA_TYPE 415 "The body must be JSON";
    /// The range is outside of the artifact.
    E_RANGE 416 "The range is outside of the artifact";
    /// Fields of the body are missing, unknown or wrong.
    E_BODY 422 "Fields of the request do not fit";
    /// The input does not fit the schema.
    E_INPUT 422 "The input does not fit";
    /// The output given by hand does not fit the schema.
    E_OUTPUT 422 "The output does not fit";
    /// The project has errors.
    E_PROJECT 422 "The project has errors";
    /// A source was not uploaded, or is none.
    E_SOURCE 422 "A source cannot be used";
    /// A bound is reached; later it may work.
    E_TOO_MANY 429 "A limit is reached";
    /// The workflow has as many live runs as it may have.
    E_LIMIT_FULL 429 "The workflow has as many runs as it may have";
    /// A fault of the server.
    E_INTERNAL 500 "The server failed";
    /// Known, and not built yet.
    E_NOT_BUILT 501 "Not possible yet";
    /// The service did not do what was asked.
    E_CALL_FAILED 502 "The service failed";
    /// The service's answer does not fit its schema.
    E_CALL_OUTPUT 502 "The service's answer does not fit";
    /// The store or the server cannot answer now.
    E_UNAVAILABLE 503 "The server cannot answer now";
    /// The service did not answer in time.
    E_CALL_TIMEOUT 504 "The service did not answer in time";
    /// No room on the disk of the server.
    E_DISK_FULL 507 "The disk of the server is full";
}
