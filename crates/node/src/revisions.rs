//! From the number of a revision to what it runs: definition, source, environment, secrets, headers.

use crate::{
    balancer::ServiceKey,
    catalog::{Catalog, Deployed, ServiceThen},
    rolled_out::RolledOut,
    services::{Kept, Restored, ServiceError, ServiceSpec},
};
use consort_runtime_process::parse_env_file;
use consort_spec::definition::{Project, SecretSource, Service};
use consort_store::Reader;
use consort_types::Name;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Finds what revisions run. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Revisions {
    pub catalog: Arc<Catalog>,
    pub reader: Arc<dyn Reader>,
    /// Root of the files that secrets name.
    pub secrets_root: Option<PathBuf>,
}

impl Revisions {
    /// All services of a namespace as they are wanted now.
    pub fn newest(&self, namespace: &Name) -> Vec<ServiceSpec> {
        let Some(deployed) = self.catalog.deployed(namespace.as_str()) else { return Vec::new() };
        let services = deployed.project.services.values();
        let specs = services.map(|service| {
            let key = ServiceKey { namespace: namespace.clone(), service: service.name.clone() };
            let revision = deployed.services.get(service.name.as_str()).copied().unwrap_or(1);
            let rolled_out = deployed.rolled_out.get(service.name.as_str());
            self.spec(key, service.clone(), revision, &deployed, rolled_out)
        });
        specs.collect()
    }

    /// The same after a restart, with what the last server kept of each.
    pub fn restored(&self, namespace: &Name) -> Vec<ServiceSpec> {
        let mut specs = self.newest(namespace);
        for spec in &mut specs {
            let stored = self.reader.service(namespace.as_str(), spec.key.service.as_str());
            let Ok(Some(stored)) = stored else { continue };
            let kept = Kept::of(&stored);
            let mut numbers: Vec<u64> = kept.revisions().filter(|number| *number != spec.revision).collect();
            numbers.dedup();
            // One that can no longer be found cannot be gone back to.
            let others = numbers.into_iter().filter_map(|number| self.at(&spec.key, number).ok()).collect();
            spec.restored = Some(Box::new(Restored { kept, others }));
        }
        specs
    }

    /// A revision by its number.
    ///
    /// # Errors
    /// When there is none, or the store refuses.
    pub fn at(&self, key: &ServiceKey, number: u64) -> Result<ServiceSpec, ServiceError> {
        let missing = || ServiceError::NotPossible(format!("`{}` has no revision {number}", key.service));
        let failed = |error: consort_store::Error| ServiceError::NotPossible(error.to_string());
        let (namespace, service) = (key.namespace.as_str(), key.service.as_str());
        let stored = self.reader.service_revision(namespace, service, number).map_err(failed)?;
        let stored = stored.ok_or_else(missing)?;
        let rolled_out = RolledOut::of(&stored);
        let at = self.catalog.service_at(&key.namespace, &key.service, stored.project_sequence);
        let ServiceThen { definition, source, files } = at.map_err(failed)?.ok_or_else(missing)?;
        let current = self.catalog.deployed(namespace).ok_or_else(missing)?;
        let mut then = (*current).clone();
        then.files = files;
        then.sources.extend(source.map(|source| (key.service.to_string(), source)));
        Ok(self.spec(key.clone(), definition, number, &then, rolled_out.as_ref()))
    }

    /// What a revision runs: its definition among the texts of its apply, and the variables of its rollout.
    pub fn spec(
        &self,
        key: ServiceKey,
        definition: Arc<Service>,
        revision: u64,
        deployed: &Deployed,
        rolled_out: Option<&RolledOut>,
    ) -> ServiceSpec {
        let root = self.secrets_root.as_deref();
        let mut problem = None;
        let mut environment = environment(&definition, deployed).unwrap_or_else(|error| {
            problem = Some(error);
            Vec::new()
        });
        let variables = rolled_out.into_iter().flat_map(|rolled_out| &rolled_out.environment);
        environment.extend(variables.map(|(name, value)| (name.clone(), value.clone())));
        let mut secrets = Vec::new();
        for name in &definition.secrets {
            match secret(&deployed.project, name, root) {
                Ok(value) => secrets.push((name.as_str().to_uppercase(), value)),
                Err(error) => problem = Some(error),
            }
        }
        let headers = headers(&definition, &deployed.project, root).unwrap_or_else(|error| {
            problem = Some(error);
            Vec::new()
        });
        // Their secrets are given to no process, only hidden.
        for name in deployed.project.secrets.keys() {
            let hole = hole(name);
            if definition.headers.values().any(|value| value.contains(&hole))
                && let Ok(value) = secret(&deployed.project, name, root)
            {
                secrets.push((name.as_str().to_uppercase(), value));
            }
        }
        let source = deployed.sources.get(definition.name.as_str()).copied();
        let restored = None;
        ServiceSpec { key, definition, revision, source, environment, secrets, headers, problem, restored }
    }
}

/// `env_file`, then `environment` on top.
fn environment(service: &Service, deployed: &Deployed) -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::new();
    if let Some(path) = &service.env_file {
        let file = deployed.files.iter().find(|file| Path::new(&file.path) == path.as_path());
        let file = file.ok_or_else(|| format!("env_file {} was not sent", path.display()))?;
        variables = parse_env_file(&file.text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    variables.extend(service.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(variables)
}

fn secret(project: &Project, name: &Name, root: Option<&Path>) -> Result<String, String> {
    let secret = project.secrets.get(name.as_str()).ok_or_else(|| format!("there is no secret `{name}`"))?;
    match &secret.source {
        SecretSource::Environment(variable) => std::env::var(variable).map_err(|_| {
            format!("the secret `{name}` needs the variable {variable}, which the server does not have")
        }),
        SecretSource::File(path) => {
            let root = root.ok_or_else(|| {
                format!("the secret `{name}` is a file, which only `consort dev` can read: use a variable")
            })?;
            let text = std::fs::read_to_string(root.join(path))
                .map_err(|error| format!("the secret `{name}` cannot be read: {error}"))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}

/// Headers of a `url` service, with `${secrets.name}` filled in.
fn headers(
    service: &Service,
    project: &Project,
    root: Option<&Path>,
) -> Result<Vec<(String, String)>, String> {
    let headers = service.headers.iter();
    headers.map(|(name, value)| Ok((name.clone(), with_secrets(value, project, root)?))).collect()
}

/// Where a secret is put in.
fn hole(name: &Name) -> String {
    format!("${{secrets.{name}}}")
}

/// A text with each `${secrets.name}` filled in.
pub(crate) fn with_secrets(text: &str, project: &Project, root: Option<&Path>) -> Result<String, String> {
    let mut text = text.to_owned();
    for name in project.secrets.keys() {
        let hole = hole(name);
        if text.contains(&hole) {
            text = text.replace(&hole, &secret(project, name, root)?);
        }
    }
    Ok(text)
}
