//! Runs: start, look, act.

use crate::{Client, Error, Live};
use consort_types::{Json, RunId};
use consort_wire::{
    Approval, CompleteStep, Empty, HistoryEntry, LIMIT_MAX, LogLine, Page, Rerun, Run, RunLogsQuery,
    RunsQuery, StartQuery, StartRun, Step,
};
use reqwest::Method;
use std::time::Duration;

impl Client {
    /// `POST /workflows/{w}/runs`: a new run, at once; the known one when the key was used before.
    ///
    /// # Errors
    /// When the input does not fit (`Refused`), the workflow is unknown (`NotFound`) or full (`Limit`).
    pub async fn start(&self, workflow: &str, start: &StartRun) -> Result<Run, Error> {
        let query = StartQuery { namespace: self.namespace().map(str::to_owned), wait: None };
        let request = self.request(Method::POST, &["workflows", workflow, "runs"]);
        self.read(request.query(&query).json(start)).await
    }

    /// `POST /workflows/{w}/runs?wait=…`: the run once it has ended, or as it is when the time is over. The server
    /// waits at most 60 s.
    ///
    /// # Errors
    /// As [`Client::start`].
    pub async fn start_and_wait(
        &self,
        workflow: &str,
        start: &StartRun,
        wait: Duration,
    ) -> Result<Run, Error> {
        let wait = Some(consort_types::format_duration(wait));
        let query = StartQuery { namespace: self.namespace().map(str::to_owned), wait };
        let request = self.request(Method::POST, &["workflows", workflow, "runs"]);
        self.read(request.query(&query).json(start)).await
    }

    /// `GET /runs`: one page, newest first.
    ///
    /// # Errors
    /// As every call.
    pub async fn runs(&self, query: RunsQuery) -> Result<Page<Run>, Error> {
        let namespace = query.namespace.or_else(|| self.namespace().map(str::to_owned));
        self.get(&["runs"], &RunsQuery { namespace, ..query }).await
    }

    /// `GET /runs/{id}`.
    ///
    /// # Errors
    /// `NotFound` for an unknown run, and as every call.
    pub async fn run(&self, id: RunId) -> Result<Run, Error> {
        self.get(&["runs", &id.to_string()], &self.scope()).await
    }

    /// `GET /runs/{id}/steps`: all of them.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub async fn steps(&self, id: RunId) -> Result<Vec<Step>, Error> {
        self.every(&["runs", &id.to_string(), "steps"]).await
    }

    /// `GET /runs/{id}/history`: all of it.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub async fn history(&self, id: RunId) -> Result<Vec<HistoryEntry>, Error> {
        self.every(&["runs", &id.to_string(), "history"]).await
    }

    /// `GET /runs/{id}/logs`: one page.
    ///
    /// # Errors
    /// As [`Client::run`].
    pub async fn run_logs(
        &self,
        id: RunId,
        step: Option<String>,
        cursor: Option<String>,
    ) -> Result<Page<LogLine>, Error> {
        let query = RunLogsQuery { step, cursor, limit: Some(LIMIT_MAX), ..self.run_logs_query() };
        self.get(&["runs", &id.to_string(), "logs"], &query).await
    }

    /// `GET /runs/{id}/logs?follow=true`: every line, then each new one until the run ends.
    pub fn follow_run_logs(&self, id: RunId, step: Option<String>) -> Live<LogLine> {
        let query = RunLogsQuery { step, follow: Some(true), ..self.run_logs_query() };
        let request = self.unbounded(Method::GET, &["runs", &id.to_string(), "logs"]).query(&query);
        Live::of_lines(self.clone(), request)
    }

    fn run_logs_query(&self) -> RunLogsQuery {
        RunLogsQuery { namespace: self.namespace().map(str::to_owned), ..RunLogsQuery::default() }
    }

    /// `POST /runs/{id}/cancel`.
    ///
    /// # Errors
    /// `Refused` when it is too late, and as [`Client::run`].
    pub async fn cancel(&self, id: RunId) -> Result<Run, Error> {
        self.act(id, "cancel").await
    }

    /// `POST /runs/{id}/pause`.
    ///
    /// # Errors
    /// As [`Client::cancel`].
    pub async fn pause(&self, id: RunId) -> Result<Run, Error> {
        self.act(id, "pause").await
    }

    /// `POST /runs/{id}/resume`.
    ///
    /// # Errors
    /// As [`Client::cancel`].
    pub async fn resume(&self, id: RunId) -> Result<Run, Error> {
        self.act(id, "resume").await
    }

    /// `POST /runs/{id}/retry`: the failed steps again.
    ///
    /// # Errors
    /// As [`Client::cancel`].
    pub async fn retry(&self, id: RunId) -> Result<Run, Error> {
        self.act(id, "retry").await
    }

    /// `POST /runs/{id}/undo`.
    ///
    /// # Errors
    /// As [`Client::cancel`].
    pub async fn undo(&self, id: RunId) -> Result<Run, Error> {
        self.act(id, "undo").await
    }

    async fn act(&self, id: RunId, verb: &str) -> Result<Run, Error> {
        self.post(&["runs", &id.to_string(), verb], &Empty {}).await
    }

    /// `POST /runs/{id}/rerun`: a new run.
    ///
    /// # Errors
    /// As [`Client::start`].
    pub async fn rerun(&self, id: RunId, rerun: &Rerun) -> Result<Run, Error> {
        self.post(&["runs", &id.to_string(), "rerun"], rerun).await
    }

    /// `POST /runs/{id}/signals/{name}`.
    ///
    /// # Errors
    /// As [`Client::cancel`].
    pub async fn signal(&self, id: RunId, name: &str, body: &Json) -> Result<Run, Error> {
        self.post(&["runs", &id.to_string(), "signals", name], body).await
    }

    /// `POST /runs/{id}/steps/{key}/retry`.
    ///
    /// # Errors
    /// As [`Client::cancel`].
    pub async fn retry_step(&self, id: RunId, key: &str) -> Result<Run, Error> {
        self.post(&["runs", &id.to_string(), "steps", key, "retry"], &Empty {}).await
    }

    /// `POST /runs/{id}/steps/{key}/skip`.
    ///
    /// # Errors
    /// As [`Client::cancel`].
    pub async fn skip_step(&self, id: RunId, key: &str) -> Result<Run, Error> {
        self.post(&["runs", &id.to_string(), "steps", key, "skip"], &Empty {}).await
    }

    /// `POST /runs/{id}/steps/{key}/complete`: the output by hand, or the answer to an approval.
    ///
    /// # Errors
    /// `Refused` when the output does not fit or another answer was first, and as [`Client::run`].
    pub async fn complete_step(&self, id: RunId, key: &str, output: Json) -> Result<Run, Error> {
        let body = CompleteStep { output };
        self.post(&["runs", &id.to_string(), "steps", key, "complete"], &body).await
    }

    /// `GET /approvals`: every question that waits for a person.
    ///
    /// # Errors
    /// As every call.
    pub async fn approvals(&self) -> Result<Vec<Approval>, Error> {
        self.every(&["approvals"]).await
    }
}
