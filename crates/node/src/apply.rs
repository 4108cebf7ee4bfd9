//! Applying a project: checked, compared with what is there, committed as one, then carried out.

use crate::{
    catalog::{Catalog, Deployed},
    committer::{After, Unit},
    sequencer::{Inbox, Message},
};
use consort_spec::{
    Folders, Problem, Severity, Texts,
    definition::{Project, Runs, Service},
};
use consort_store::{PageRequest, ProjectFile, Reader, ServiceRevision, WorkflowRevision, Write};
use consort_types::{Digest, Json, Name, Timestamp};
use std::{collections::BTreeMap, sync::Arc};
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
        let (mut changes, mut numbers) = (Vec::new(), Numbers::new());
        let project = self.project.clone();
        for (name, service) in &project.services {
            let digest = self.service_digest(service);
            let newest = self.reader.service_revisions(
                self.namespace.as_str(),
                name.as_str(),
                &PageRequest::first(1),
            )?;
            let newest = newest.items.into_iter().next();
            let there = self.before.as_ref().is_some_and(|before| before.project.services.contains_key(name));
            let (action, number) = compare(newest.map(|it| (it.number, it.digest)), digest, there);
            if action != Action::Unchanged {
                self.writes.push(Write::PutService(Box::new(ServiceRevision {
                    namespace: self.namespace.clone(),
                    name: name.clone(),
                    number,
                    digest,
                    project_sequence: self.sequence,
                    applied_at: self.now,
                    document: Json::null(),
                })));
            }
            numbers.insert(name.clone(), number);
            changes.push(Change {
                kind: ChangeKind::Service,
                name: name.clone(),
                action,
                revision: Some(number),
            });
        }
        let gone = self.before.iter().flat_map(|before| before.project.services.keys());
        for name in gone.filter(|name| !project.services.contains_key(name.as_str())) {
            let (namespace, name) = (self.namespace.clone(), name.clone());
            self.writes.push(Write::RemoveService { namespace, name: name.clone() });
            changes.push(Change { kind: ChangeKind::Service, name, action: Action::Remove, revision: None });
        }
        Ok((changes, numbers))
    }

    fn workflows(&mut self) -> Result<(Vec<Change>, Numbers), consort_store::Error> {
        let (mut changes, mut numbers) = (Vec::new(), Numbers::new());
        let project = self.project.clone();
        for (name, workflow) in &project.workflows {
            let newest = self.reader.workflow_revisions(
                self.namespace.as_str(),
                name.as_str(),
                &PageRequest::first(1),
            )?;
            let newest = newest.items.into_iter().next();
            let there =
                self.before.as_ref().is_some_and(|before| before.project.workflows.contains_key(name));
            let (action, number) = compare(newest.map(|it| (it.number, it.digest)), workflow.digest, there);
            if action != Action::Unchanged {
                self.writes.push(Write::PutWorkflow(Box::new(WorkflowRevision {
                    namespace: self.namespace.clone(),
                    name: name.clone(),
                    number,
                    digest: workflow.digest,
                    project_sequence: self.sequence,
                    applied_at: self.now,
                    document: Json::null(),
                })));
            }
            numbers.insert(name.clone(), number);
            let kind = ChangeKind::Workflow;
            changes.push(Change { kind, name: name.clone(), action, revision: Some(number) });
        }
        let gone = self.before.iter().flat_map(|before| before.project.workflows.keys());
        for name in gone.filter(|name| !project.workflows.contains_key(name.as_str())) {
            let (namespace, name) = (self.namespace.clone(), name.clone());
            self.writes.push(Write::RemoveWorkflow { namespace, name: name.clone() });
            changes.push(Change { kind: ChangeKind::Workflow, name, action: Action::Remove, revision: None });
        }
        Ok((changes, numbers))
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
        let deployed = Deployed {
            sequence: self.sequence,
            project: self.project,
            files: self.request.files,
            sources: self.request.sources,
            workflows,
            services,
        };
        Plan {
            applied: Applied { namespace: self.namespace, changes, problems },
            deployed,
            writes: self.writes,
        }
    }
}

fn compare(newest: Option<(u64, Digest)>, digest: Digest, there: bool) -> (Action, u64) {
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
    if writes.is_empty() {
        return Ok(());
    }
    let (reply, committed) = oneshot::channel();
    let after = vec![After::Call(Box::new(move || _ = reply.send(())))];
    inbox.send(Message::Write(Unit { writes, after }));
    committed.await.map_err(|_| ApplyError::Ending)
}
