//! Applying a project: checked, compared with what is there, committed as one, then carried out.

use crate::{
    catalog::{Catalog, Deployed},
    committer::{After, Unit},
    rolled_out::applied_digest,
    sequencer::{Inbox, Message},
};
use consort_spec::{
    Folders, Problem, Severity, Texts,
    definition::{Project, Runs, Service},
};
use consort_store::{PageRequest, ProjectFile, Reader, ServiceRevision, WorkflowRevision, Write};
use consort_types::{Digest, Json, Name, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::oneshot;

/// What is applied.
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// The texts of the project.
    pub files: Vec<ProjectFile>,
    /// Content of the source of each service that has one, stored already.
    pub sources: BTreeMap<String, Digest>,
}

/// What becomes of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Create,
    /// It gets a new revision.
    Update,
    /// It goes away.
    Remove,
    /// It stays as it is.
    Unchanged,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// A service.
    Service,
    /// A workflow.
    Workflow,
}

/// One change of an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is about.
    pub kind: ChangeKind,
    /// Its name.
    pub name: Name,
    /// What becomes of it.
    pub action: Action,
    /// The number of its revision afterwards.
    pub revision: Option<u64>,
}

/// What an apply did, or would do.
#[derive(Debug)]
pub struct Applied {
    /// The namespace.
    pub namespace: Name,
    /// Services, then workflows, by name.
    pub changes: Vec<Change>,
    /// Warnings.
    pub problems: Vec<Problem>,
}

/// Why an apply was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The project does not pass the check.
    #[error("the project has problems")]
    Problems(Vec<Problem>),
    /// A service has a source and none was sent.
    #[error("the source of the service `{0}` was not sent")]
    NoSource(Name),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] consort_store::Error),
    /// The server is about to end.
    #[error("the server is about to end")]
    Ending,
}

/// A plan: what will be deployed, and the writes that make it so.
pub struct Plan {
    /// What was found.
    pub applied: Applied,
    /// The state afterwards.
    pub deployed: Deployed,
    writes: Vec<Write>,
}

impl Plan {
    /// Whether anything changes.
    pub fn changes_anything(&self) -> bool {
        !self.writes.is_empty()
    }
}

/// Checks and compares. Reads the store; changes nothing.
///
/// # Errors
/// When the project has errors, uses what cannot run yet, or lacks a source.
pub fn plan(
    request: ApplyRequest,
    catalog: &Catalog,
    reader: &dyn Reader,
    now: Timestamp,
) -> Result<Plan, ApplyError> {
    let texts = request.files.iter().map(|file| (file.path.clone(), file.text.clone()));
    let checked = consort_spec::check(&Texts::new(texts, Folders::Assumed));
    let mut problems = checked.problems;
    let Some(project) = checked.project else { return Err(ApplyError::Problems(problems)) };
    problems.extend(consort_spec::unsupported(&project));
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(ApplyError::Problems(problems));
    }
    for service in project.services.values() {
        if source_of(service) && !request.sources.contains_key(service.name.as_str()) {
            return Err(ApplyError::NoSource(service.name.clone()));
        }
    }
    let namespace = project.name.clone();
    let before = catalog.deployed(namespace.as_str());
    let stored = reader.project(namespace.as_str())?;
    let sequence = stored.map_or(0, |stored| stored.sequence) + 1;
    let mut planner =
        Planner { reader, namespace, before, project, sequence, now, request, writes: Vec::new() };
    let (mut changes, services) = planner.services()?;
    let (of_workflows, workflows) = planner.workflows()?;
    changes.extend(of_workflows);
    Ok(planner.finish(changes, services, workflows, problems))
}

/// Whether a service has a source folder.
fn source_of(service: &Service) -> bool {
    matches!(service.runs, Runs::Process { .. } | Runs::Exec { .. })
}

struct Planner<'a> {
    reader: &'a dyn Reader,
    namespace: Name,
    before: Option<Arc<Deployed>>,
    project: Arc<Project>,
    sequence: u64,
    now: Timestamp,
    request: ApplyRequest,
    writes: Vec<Write>,
}

type Numbers = BTreeMap<Name, u64>;

impl Planner<'_> {
    fn services(&mut self) -> Result<(Vec<Change>, Numbers), consort_store::Error> {
        let project = self.project.clone();
        let wanted = project.services.values();
        let wanted = wanted.map(|service| (service.name.clone(), self.service_digest(service))).collect();
        let before = self.before.as_ref().map(|before| before.project.services.keys().cloned().collect());
        self.compare(ChangeKind::Service, wanted, before.unwrap_or_default())
    }

    fn workflows(&mut self) -> Result<(Vec<Change>, Numbers), consort_store::Error> {
        let project = self.project.clone();
        let wanted = project.workflows.values();
        let wanted = wanted.map(|workflow| (workflow.name.clone(), workflow.digest)).collect();
        let before = self.before.as_ref().map(|before| before.project.workflows.keys().cloned().collect());
        self.compare(ChangeKind::Workflow, wanted, before.unwrap_or_default())
    }

    /// What becomes of the things of one kind: those that are wanted, then those that go.
    fn compare(
        &mut self,
        kind: ChangeKind,
        wanted: Vec<(Name, Digest)>,
        before: BTreeSet<Name>,
    ) -> Result<(Vec<Change>, Numbers), consort_store::Error> {
        let (mut changes, mut numbers) = (Vec::new(), Numbers::new());
        for (name, digest) in wanted {
            let newest = self.newest(kind, &name)?;
            let (action, number) = judge(newest, digest, before.contains(&name));
            if action != Action::Unchanged {
                self.writes.push(self.put(kind, &name, number, digest));
            }
            numbers.insert(name.clone(), number);
            changes.push(Change { kind, name, action, revision: Some(number) });
        }
        for name in before.into_iter().filter(|name| !numbers.contains_key(name)) {
            let namespace = self.namespace.clone();
            self.writes.push(match kind {
                ChangeKind::Service => Write::RemoveService { namespace, name: name.clone() },
                ChangeKind::Workflow => Write::RemoveWorkflow { namespace, name: name.clone() },
            });
            changes.push(Change { kind, name, action: Action::Remove, revision: None });
        }
        Ok((changes, numbers))
    }

    /// Number and content of the newest revision that there ever was.
    fn newest(&self, kind: ChangeKind, name: &Name) -> Result<Option<(u64, Digest)>, consort_store::Error> {
        let (namespace, name, page) = (self.namespace.as_str(), name.as_str(), PageRequest::first(1));
        Ok(match kind {
            ChangeKind::Service => {
                let page = self.reader.service_revisions(namespace, name, &page)?;
                page.items.first().map(|newest| (newest.number, applied_digest(newest)))
            }
            ChangeKind::Workflow => {
                let page = self.reader.workflow_revisions(namespace, name, &page)?;
                page.items.first().map(|newest| (newest.number, newest.digest))
            }
        })
    }

    fn put(&self, kind: ChangeKind, name: &Name, number: u64, digest: Digest) -> Write {
        let (namespace, name) = (self.namespace.clone(), name.clone());
        let (project_sequence, applied_at, document) = (self.sequence, self.now, Json::null());
        match kind {
            ChangeKind::Service => Write::PutService(Box::new(ServiceRevision {
                namespace,
                name,
                number,
                digest,
                project_sequence,
                applied_at,
                document,
            })),
            ChangeKind::Workflow => Write::PutWorkflow(Box::new(WorkflowRevision {
                namespace,
                name,
                number,
                digest,
                project_sequence,
                applied_at,
                document,
            })),
        }
    }

    /// All that makes a service behave as it does: its section, its source, its env file.
    fn service_digest(&self, service: &Service) -> Digest {
        let source = self.request.sources.get(service.name.as_str());
        let env_file = service.env_file.as_ref().and_then(|path| {
            let file =
                self.request.files.iter().find(|file| std::path::Path::new(&file.path) == path.as_path());
            file.map(|file| file.text.as_str())
        });
        let source = source.filter(|_| source_of(service)).map(ToString::to_string).unwrap_or_default();
        Digest::of(format!("{}\n{source}\n{}", service.digest, env_file.unwrap_or_default()).as_bytes())
    }

    fn finish(
        mut self,
        changes: Vec<Change>,
        services: Numbers,
        workflows: Numbers,
        problems: Vec<Problem>,
    ) -> Plan {
        let same_texts = self.before.as_ref().is_some_and(|before| before.files == self.request.files);
        if !self.writes.is_empty() || !same_texts {
            // What only changes how a service scales or reads makes no revision, but is kept all the same.
            self.writes.insert(
                0,
                Write::PutProject(Box::new(consort_store::Project {
                    namespace: self.namespace.clone(),
                    sequence: self.sequence,
                    files: self.request.files.clone(),
                    sources: self.request.sources.clone(),
                    applied_at: self.now,
                })),
            );
        }
        // What a step rolled out stays until the definition changes.
        let mut rolled_out = self.before.map(|before| before.rolled_out.clone()).unwrap_or_default();
        rolled_out.retain(|name, _| {
            changes.iter().any(|it| {
                it.kind == ChangeKind::Service && it.name == *name && it.action == Action::Unchanged
            })
        });
        let deployed = Deployed {
            sequence: self.sequence,
            project: self.project,
            files: self.request.files,
            sources: self.request.sources,
            workflows,
            services,
            rolled_out,
        };
        Plan {
            applied: Applied { namespace: self.namespace, changes, problems },
            deployed,
            writes: self.writes,
        }
    }
}

/// What becomes of a thing, and the number of its revision afterwards.
fn judge(newest: Option<(u64, Digest)>, digest: Digest, there: bool) -> (Action, u64) {
    match newest {
        None => (Action::Create, 1),
        Some((number, known)) if known == digest && there => (Action::Unchanged, number),
        // It had been removed and comes back: a revision of its own, so that the lists show when.
        Some((number, _)) if !there => (Action::Create, number + 1),
        Some((number, _)) => (Action::Update, number + 1),
    }
}

/// Commits a plan.
///
/// # Errors
/// When the server ends before the commit.
pub async fn commit(plan: &mut Plan, inbox: &Inbox) -> Result<(), ApplyError> {
    let writes = std::mem::take(&mut plan.writes);
    if writes.is_empty() { Ok(()) } else { write(writes, inbox).await }
}

/// Commits.
///
/// # Errors
/// When the server ends before the commit.
pub async fn write(writes: Vec<Write>, inbox: &Inbox) -> Result<(), ApplyError> {
    let (reply, committed) = oneshot::channel();
    let after = vec![After::Call(Box::new(move || _ = reply.send(())))];
    inbox.send(Message::Write(Unit::of(writes, after)));
    committed.await.map_err(|_| ApplyError::Ending)
}
