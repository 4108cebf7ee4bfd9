//! All that one namespace holds.

use super::{Pool, Service, Workflow};
use crate::features::UsedFeature;
use consort_types::{Json, Name};
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
    /// Rules that start runs; checked, and carried as they stand.
    pub triggers: BTreeMap<Name, Declared>,
    /// Rules that tell people; checked, and carried as they stand.
    pub alerts: BTreeMap<Name, Declared>,
    /// Ways to tell people; checked, and carried as they stand.
    pub notify: BTreeMap<Name, Declared>,
    /// Where the project asks for a part of the language that not every build can run.
    pub used_features: Vec<UsedFeature>,
}

/// A section that is checked and not compiled further yet.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its name in the file.
    pub name: Name,
    /// What stands under it.
    pub section: Json,
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
