//! Workflows.

use crate::{Client, Error};
use consort_wire::{Graph, GraphQuery, Workflow, WorkflowRevision};

impl Client {
    /// `GET /workflows`: all of them.
    ///
    /// # Errors
    /// As every call.
    pub async fn workflows(&self) -> Result<Vec<Workflow>, Error> {
        self.every(&["workflows"]).await
    }

    /// `GET /workflows/{w}`.
    ///
    /// # Errors
    /// `NotFound` for an unknown workflow, and as every call.
    pub async fn workflow(&self, name: &str) -> Result<Workflow, Error> {
        self.get(&["workflows", name], &self.scope()).await
    }

    /// `GET /workflows/{w}/graph`, of the newest revision without one.
    ///
    /// # Errors
    /// As [`Client::workflow`].
    pub async fn graph(&self, name: &str, revision: Option<String>) -> Result<Graph, Error> {
        let query = GraphQuery { namespace: self.namespace().map(str::to_owned), revision };
        self.get(&["workflows", name, "graph"], &query).await
    }

    /// `GET /workflows/{w}/revisions`: all of them.
    ///
    /// # Errors
    /// As [`Client::workflow`].
    pub async fn workflow_revisions(&self, name: &str) -> Result<Vec<WorkflowRevision>, Error> {
        self.every(&["workflows", name, "revisions"]).await
    }
}
