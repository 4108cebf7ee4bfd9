//! `consort services call`.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
    input::{InputArgs, upload},
};
use clap::Args;
use consort_client::{Client, Error};
use consort_types::Json;

const EXAMPLES: &str = "\
Example: consort services call parser.parse -i page=@page.pdf";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Call {
    /// The operation, as SERVICE.OPERATION
    operation: String,
    /// Its input.
    #[command(flatten)]
    input: InputArgs,
}

impl Call {
    /// Runs the command; prints the output as JSON.
    ///
    /// # Errors
    /// When there is no such operation, the input does not fit, or the call fails.
    pub async fn run(&self, context: &Context) -> Outcome {
        let client = context.client()?;
        let Some((service, operation)) = self.operation.split_once('.') else {
            return Err(Failure::usage(format!("{:?} is not SERVICE.OPERATION", self.operation)));
        };
        let input =
            upload(&client, self.input.read(&input_schema(&client, service, operation).await?)?).await?;
        let output = client.call(service, operation, &input).await.map_err(|error| {
            // The server answered well: it is the call that failed.
            let failed = matches!(error, Error::Failed(_));
            let failure = Failure::from(error);
            if failed { Failure { exit: Exit::Failed, ..failure } } else { failure }
        })?;
        context.screen.json(&output)?;
        Ok(Exit::Done)
    }
}

async fn input_schema(client: &Client, service: &str, operation: &str) -> Result<serde_json::Value, Failure> {
    let service = client.service(service).await?;
    match service.operations.get(operation) {
        Some(operation) => Ok(Json::to_value(&operation.input)),
        None => {
            let names: Vec<_> = service.operations.keys().map(String::as_str).collect();
            let message = format!("the service {} has no operation {operation}", service.name);
            Err(Failure::new(Exit::NotFound, message).hint(format!("it has {}", names.join(", "))))
        }
    }
}
