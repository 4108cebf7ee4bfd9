//! What is deployed: the current definitions of each namespace, and old ones for runs that keep them.

use crate::rolled_out::RolledOut;
use consort_spec::{
    Folders, Texts,
    definition::{Project, Service, Workflow},
};
use consort_store::{Error, PageRequest, Reader};
use consort_types::{Digest, Name};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

/// Compiled projects kept for runs of old revisions.
const COMPILED_MAX: usize = 64;

/// The current state of a namespace.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// Counts the applies that changed something.
    pub sequence: u64,
    /// The definitions.
    pub project: Arc<Project>,
    /// The texts that they were made of.
    pub files: Vec<consort_store::ProjectFile>,
    /// Content of the source of each service that has one.
    pub sources: BTreeMap<String, Digest>,
    /// Number of each workflow's revision.
    pub workflows: BTreeMap<Name, u64>,
    /// Number of each service's revision.
    pub services: BTreeMap<Name, u64>,
    /// Of the services whose revision was made by a step: what it has over the file.
    pub rolled_out: BTreeMap<Name, RolledOut>,
}

/// A workflow with its revision.
#[derive(Debug, Clone)]
pub struct CurrentWorkflow {
    /// The definition.
    pub workflow: Arc<Workflow>,
    /// The number of its revision.
    pub revision: u64,
}

/// A service as it stood at an apply.
#[derive(Debug, Clone)]
pub struct ServiceThen {
    /// The definition.
    pub definition: Arc<Service>,
    /// Content of its source.
    pub source: Option<Digest>,
    /// The texts of the whole project.
    pub files: Vec<consort_store::ProjectFile>,
}

/// What is deployed.
pub struct Catalog {
    reader: Arc<dyn Reader>,
    current: RwLock<BTreeMap<Name, Arc<Deployed>>>,
    compiled: Mutex<HashMap<(Name, u64), Arc<Project>>>,
}

impl Catalog {
    /// Loads what was deployed last.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn load(reader: Arc<dyn Reader>) -> Result<Self, Error> {
        let catalog = Self { reader, current: RwLock::default(), compiled: Mutex::default() };
        for namespace in catalog.reader.namespaces()? {
            if let Some(deployed) = catalog.load_namespace(&namespace)? {
                catalog.set(namespace, deployed);
            }
        }
        Ok(catalog)
    }

    fn load_namespace(&self, namespace: &Name) -> Result<Option<Deployed>, Error> {
        let Some(stored) = self.reader.project(namespace.as_str())? else { return Ok(None) };
        let Some(project) = self.project_at(namespace, stored.sequence)? else { return Ok(None) };
        let mut workflows = BTreeMap::new();
        for name in project.workflows.keys() {
            if let Some(revision) = self.reader.workflow(namespace.as_str(), name.as_str())? {
                workflows.insert(name.clone(), revision.number);
            }
        }
        let (mut services, mut rolled_out) = (BTreeMap::new(), BTreeMap::new());
        for name in project.services.keys() {
            let newest =
                self.reader.service_revisions(namespace.as_str(), name.as_str(), &PageRequest::first(1))?;
            if let Some(revision) = newest.items.first() {
                services.insert(name.clone(), revision.number);
                rolled_out.extend(RolledOut::of(revision).map(|it| (name.clone(), it)));
            }
        }
        let (sequence, sources, files) = (stored.sequence, stored.sources, stored.files);
        Ok(Some(Deployed { sequence, project, files, sources, workflows, services, rolled_out }))
    }

    /// The current state of a namespace.
    pub fn deployed(&self, namespace: &str) -> Option<Arc<Deployed>> {
        self.current().get(namespace).cloned()
    }

    /// All namespaces that were ever applied, sorted.
    pub fn namespaces(&self) -> Vec<Name> {
        self.current().keys().cloned().collect()
    }

    /// Puts a new state in the place of the old one.
    pub fn set(&self, namespace: Name, deployed: Deployed) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.insert(namespace, Arc::new(deployed));
    }

    /// The newest revision of a workflow.
    pub fn workflow(&self, namespace: &str, name: &str) -> Option<CurrentWorkflow> {
        let deployed = self.deployed(namespace)?;
        let workflow = deployed.project.workflows.get(name)?.clone();
        let revision = *deployed.workflows.get(name)?;
        Some(CurrentWorkflow { workflow, revision })
    }

    /// A revision of a workflow, as live runs keep it.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn workflow_revision(
        &self,
        namespace: &Name,
        name: &Name,
        number: u64,
    ) -> Result<Option<Arc<Workflow>>, Error> {
        if let Some(current) = self.workflow(namespace.as_str(), name.as_str())
            && current.revision == number
        {
            return Ok(Some(current.workflow));
        }
        let stored = self.reader.workflow_revision(namespace.as_str(), name.as_str(), number)?;
        let Some(stored) = stored else { return Ok(None) };
        let project = self.project_at(namespace, stored.project_sequence)?;
        Ok(project.and_then(|project| project.workflows.get(name.as_str()).cloned()))
    }

    /// A service as it stood at an apply, and the content of its source.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn service_at(
        &self,
        namespace: &Name,
        name: &Name,
        sequence: u64,
    ) -> Result<Option<ServiceThen>, Error> {
        let Some(stored) = self.reader.project_at(namespace.as_str(), sequence)? else { return Ok(None) };
        let project = self.project_at(namespace, sequence)?;
        let service = project.and_then(|project| project.services.get(name.as_str()).cloned());
        let source = stored.sources.get(name.as_str()).copied();
        Ok(service.map(|definition| ServiceThen { definition, source, files: stored.files }))
    }

    /// A project as it was applied, compiled.
    fn project_at(&self, namespace: &Name, sequence: u64) -> Result<Option<Arc<Project>>, Error> {
        let place = (namespace.clone(), sequence);
        if let Some(project) = self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&place) {
            return Ok(Some(project.clone()));
        }
        let Some(stored) = self.reader.project_at(namespace.as_str(), sequence)? else { return Ok(None) };
        let texts = stored.files.into_iter().map(|file| (file.path, file.text));
        let checked = consort_spec::check(&Texts::new(texts, Folders::Assumed));
        let Some(project) = checked.project else {
            tracing::error!(%namespace, sequence, "a stored project no longer passes the check");
            return Ok(None);
        };
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() >= COMPILED_MAX {
            compiled.clear();
        }
        compiled.insert(place, project.clone());
        Ok(Some(project))
    }

    fn current(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<Name, Arc<Deployed>>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }
}
