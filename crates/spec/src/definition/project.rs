//! All that one namespace holds.

use super::{Service, Workflow};
use consort_types::Name;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// A checked project file: the whole truth of its namespace.
#[derive(Debug)]
pub struct Project {
    /// The namespace.
    pub name: Name,
    /// The services that it deploys or knows.
    pub services: BTreeMap<Name, Arc<Service>>,
    /// Its workflows.
    pub workflows: BTreeMap<Name, Arc<Workflow>>,
    /// Named capacities.
    pub pools: BTreeMap<Name, Pool>,
    /// Where secrets come from; never their values.
    pub secrets: BTreeMap<Name, Secret>,
}

/// A named capacity.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Permits in all; none: no bound on how many at once.
    pub size: Option<f64>,
}

/// A secret by its source.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its name in the file.
    pub name: Name,
    /// Where its value is.
    pub source: SecretSource,
}

/// Where the value of a secret is read, at deploy.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// A variable of the server's environment.
    Environment(String),
    /// A file, relative to the project root.
    File(PathBuf),
}
