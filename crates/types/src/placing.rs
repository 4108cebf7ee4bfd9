//! Where the fields of an input go in an HTTP request.

use std::sync::Arc;

/// Where the fields of an input go in an HTTP request, beside those that the path names in braces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Placing {
    /// To the query for GET and DELETE, into the body for all others.
    #[default]
    ByMethod,
    /// Where a document says.
    Declared(Arc<Places>),
}

/// The places that a document gives to the fields of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Fields that go to the query, in the order in which they are sent.
    pub query: Vec<QueryField>,
    /// What the body is made of.
    pub body: BodyPlace,
}

/// A field that goes to the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryField {
    /// Its name, in the input and in the query.
    pub name: String,
    /// How a list or an object in it is written.
    pub style: QueryStyle,
}

/// How a list or an object is written in a query: the `style` and `explode` of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryStyle {
    /// `a=1&a=2`; an object gives each of its keys.
    Repeated,
    /// `a=1,2`; an object is `a=key,value,key,value`.
    Comma,
    /// `a=1%202`.
    Space,
    /// `a=1|2`.
    Pipe,
    /// `a[x]=1&a[y]=2`.
    Deep,
    /// `a={"x":1}`, percent-encoded.
    Json,
}

/// What the body is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyPlace {
    /// There is none.
    None,
    /// An object of the fields that go nowhere else.
    Rest {
        /// Fields of the path or the query that stand in the body too.
        also: Vec<String>,
        /// What is sent when no field is left for it.
        when_empty: EmptyBody,
        /// Its media type.
        media_type: String,
    },
    /// The value of one field, as it is.
    Field {
        /// Which; when it is missing nothing is sent.
        name: String,
        /// Its media type.
        media_type: String,
    },
}

/// What is sent when no field is left for the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyBody {
    /// No body.
    Absent,
    /// `{}`.
    Object,
}
