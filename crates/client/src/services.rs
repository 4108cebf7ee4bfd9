//! Services.

use crate::{Client, Error, Live};
use consort_types::Json;
use consort_wire::{
    Empty, LIMIT_MAX, Page, Replica, Rollback, Scale, Service, ServiceLogLine, ServiceLogsQuery,
    ServiceRevision, ServiceStats,
};
use reqwest::{Method, StatusCode};

impl Client {
    /// `GET /services`: all of them.
    ///
    /// # Errors
    /// As every call.
    pub async fn services(&self) -> Result<Vec<Service>, Error> {
        self.every(&["services"]).await
    }

    /// `GET /services/{s}`.
    ///
    /// # Errors
    /// `NotFound` for an unknown service, and as every call.
    pub async fn service(&self, name: &str) -> Result<Service, Error> {
        self.get(&["services", name], &self.scope()).await
    }

    /// `GET /services/{s}/revisions`: all of them, newest first.
    ///
    /// # Errors
    /// As [`Client::service`].
    pub async fn service_revisions(&self, name: &str) -> Result<Vec<ServiceRevision>, Error> {
        self.every(&["services", name, "revisions"]).await
    }

    /// `GET /services/{s}/replicas`: all of them.
    ///
    /// # Errors
    /// As [`Client::service`].
    pub async fn replicas(&self, name: &str) -> Result<Vec<Replica>, Error> {
        self.every(&["services", name, "replicas"]).await
    }

    /// `GET /services/{s}/stats`.
    ///
    /// # Errors
    /// As [`Client::service`].
    pub async fn service_stats(&self, name: &str) -> Result<ServiceStats, Error> {
        self.get(&["services", name, "stats"], &self.scope()).await
    }

    /// `GET /services/{s}/logs`: one page.
    ///
    /// # Errors
    /// As [`Client::service`].
    pub async fn service_logs(
        &self,
        name: &str,
        replica: Option<String>,
        cursor: Option<String>,
    ) -> Result<Page<ServiceLogLine>, Error> {
        let query = ServiceLogsQuery { replica, cursor, limit: Some(LIMIT_MAX), ..self.service_logs_query() };
        self.get(&["services", name, "logs"], &query).await
    }

    /// `GET /services/{s}/logs?follow=true`: every kept line, then each new one.
    pub fn follow_service_logs(&self, name: &str, replica: Option<String>) -> Live<ServiceLogLine> {
        let query = ServiceLogsQuery { replica, follow: Some(true), ..self.service_logs_query() };
        let request = self.unbounded(Method::GET, &["services", name, "logs"]).query(&query);
        Live::of_lines(self.clone(), request)
    }

    fn service_logs_query(&self) -> ServiceLogsQuery {
        ServiceLogsQuery { namespace: self.namespace().map(str::to_owned), ..ServiceLogsQuery::default() }
    }

    /// `POST /services/{s}/scale`.
    ///
    /// # Errors
    /// `Refused` outside of the service's bounds, and as [`Client::service`].
    pub async fn scale(&self, name: &str, replicas: u32) -> Result<Service, Error> {
        self.post(&["services", name, "scale"], &Scale { replicas }).await
    }

    /// `POST /services/{s}/restart`.
    ///
    /// # Errors
    /// As [`Client::service`].
    pub async fn restart(&self, name: &str) -> Result<Service, Error> {
        self.post(&["services", name, "restart"], &Empty {}).await
    }

    /// `POST /services/{s}/rollback`, to the previous revision without one.
    ///
    /// # Errors
    /// `Refused` when there is none to go back to, and as [`Client::service`].
    pub async fn roll_back(&self, name: &str, to: Option<String>) -> Result<Service, Error> {
        self.post(&["services", name, "rollback"], &Rollback { to }).await
    }

    /// `POST /services/{s}/operations/{op}`: the operation's output. Not bounded in time here: the
    /// operation's own timeout holds.
    ///
    /// # Errors
    /// `Refused` when the input does not fit, `Failed` when the service did, and as [`Client::service`].
    pub async fn call(&self, service: &str, operation: &str, input: &Json) -> Result<Json, Error> {
        let request = self.unbounded(Method::POST, &["services", service, "operations", operation]);
        let response = self.send(request.query(&self.scope()).json(input)).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Json::null());
        }
        let url = response.url().to_string();
        let body = self.body(response).await?;
        Json::from_slice(&body).map_err(|error| Error::Unreadable { url, reason: error.to_string() })
    }
}
