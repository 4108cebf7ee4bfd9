//! `consort.notify`: a text to people, by a channel of the project file.

use super::{Acted, Platform, bad_input, failure, read};
use crate::revisions::with_secrets;
use consort_engine::Dispatch;
use consort_invoke::{Code, Failure, Invocation, Outcome, Process, Target};
use consort_runtime::Command;
use consort_types::{ErrorKind, Json, Name, Placing, RunError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How long one delivery may take.
const DELIVERY_MAX: Duration = Duration::from_secs(30);

/// From SIGTERM to SIGKILL for the command of a channel.
const COMMAND_GRACE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
struct Notify {
    channel: String,
    text: String,
}

impl Platform {
    /// Delivers a text once. What the channel answers is not looked at, only whether it took it.
    pub(super) async fn notify(&self, namespace: &Name, call: &Dispatch) -> Acted {
        let Notify { channel, text } = read(&call.input)?;
        let deployed = self.revisions.catalog.deployed(namespace.as_str());
        let declared = deployed.as_ref().and_then(|it| it.project.notify.get(channel.as_str()));
        let (Some(deployed), Some(declared)) = (&deployed, declared) else {
            return Err(bad_input(format!("there is no channel `{channel}` under `notify`")));
        };
        let section = declared.section.to_value();
        let root = self.revisions.secrets_root.as_deref();
        let filled = |text: &str| {
            with_secrets(text, &deployed.project, root)
                .map_err(|error| failure(RunError::new("E_CHANNEL", ErrorKind::Unavailable, error)))
        };
        let told = json!({
            "channel": channel,
            "text": text,
            "namespace": namespace,
            "run": call.token.run.to_string(),
            "step": call.step,
            "at": self.clock.now().to_string(),
        });
        let outcome = match (&section["webhook"], &section["slack"], &section["command"]) {
            (Value::String(url), ..) => self.post(&filled(url)?, &told, call).await?,
            (_, Value::String(url), _) => self.post(&filled(url)?, &json!({ "text": text }), call).await?,
            (.., command @ (Value::String(_) | Value::Array(_))) => self.run(command, &told, call).await,
            _ => return Err(bad_input(format!("the channel `{channel}` cannot be used by this version"))),
        };
        match outcome {
            Outcome::Succeeded(_) | Outcome::Accepted => Ok(Json::null()),
            // Taken; the words of the answer are nobody's business.
            Outcome::Failed(failed) if failed.error.code == Code::OutputNotJson.as_str() => Ok(Json::null()),
            Outcome::Failed(mut failed) => {
                failed.error.message = format!("the channel `{channel}`: {}", failed.error.message);
                Err(failed)
            }
        }
    }

    async fn post(&self, url: &str, body: &Value, call: &Dispatch) -> Result<Outcome, Box<Failure>> {
        let at = url.find("://").map(|at| at + 3);
        let at =
            at.ok_or_else(|| bad_input("the URL of the channel begins with http:// or https://".to_owned()))?;
        let end = url[at..].find(['/', '?', '#']).map_or(url.len(), |end| at + end);
        let target = Target::Http { base: url[..end].to_owned() };
        // Braces in the address are part of it, and no fields.
        let path = url[end..].split('#').next().unwrap_or("").replace('{', "%7B").replace('}', "%7D");
        Ok(self.deliver(&target, path, body, call).await)
    }

    async fn run(&self, command: &Value, body: &Value, call: &Dispatch) -> Outcome {
        let command = match command {
            Value::Array(words) => {
                Command::Argv(words.iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect())
            }
            other => Command::Shell(other.as_str().unwrap_or_default().to_owned()),
        };
        let word = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let process = Process {
            command,
            dir: self.data_dir.clone(),
            environment: vec![
                ("CONSORT_CHANNEL".to_owned(), word("channel")),
                ("CONSORT_TEXT".to_owned(), word("text")),
            ],
            secrets: Vec::new(),
            stop_grace: COMMAND_GRACE,
        };
        self.deliver(&Target::Exec(process), String::new(), body, call).await
    }

    async fn deliver(&self, target: &Target, path: String, body: &Value, call: &Dispatch) -> Outcome {
        let timeout = call.timeout.min(DELIVERY_MAX);
        let invocation = Invocation {
            service: super::SERVICE.to_owned(),
            operation: "notify".to_owned(),
            method: "POST".to_owned(),
            path,
            placing: Placing::ByMethod,
            input: Json::of(body),
            run: Some(call.token.run),
            step: call.step.clone(),
            attempt: call.attempt,
            // The channel is told nothing that it could answer this step with.
            token: String::new(),
            idempotency_key: call.idempotency_key.clone(),
            callback: String::new(),
            deadline: self.clock.now().plus(timeout),
            timeout,
            traceparent: String::new(),
            undoes: None,
            headers: Vec::new(),
        };
        let silent = Arc::new(|_: consort_runtime::LogStream, _: &str| {});
        self.invoker.invoke(target, &invocation, &CancellationToken::new(), silent).await
    }
}
