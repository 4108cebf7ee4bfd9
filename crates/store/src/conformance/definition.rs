//! Projects, workflows and services.

use super::{Harness, at, commit, name, opened, refused};
use crate::{
    Error, Page, PageRequest, Project, ProjectFile, Service, ServiceRevision, WorkflowRevision, Write,
};
use consort_types::{Digest, Json};

fn project(namespace: &str, sequence: u64) -> Project {
    Project {
        namespace: name(namespace),
        sequence,
        files: vec![ProjectFile { path: "consort.yaml".to_owned(), text: format!("# {sequence} ä\n") }],
        sources: [("parser".to_owned(), Digest::of(b"tar"))].into(),
        applied_at: at(sequence),
    }
}

fn workflow(of: &str, number: u64) -> WorkflowRevision {
    WorkflowRevision {
        namespace: name("lending"),
        name: name(of),
        number,
        digest: Digest::of(&number.to_be_bytes()),
        project_sequence: number,
        applied_at: at(number),
        document: Json::of(&serde_json::json!({"revision": number})),
    }
}

fn service_revision(of: &str, number: u64) -> ServiceRevision {
    let WorkflowRevision { namespace, name, digest, project_sequence, applied_at, document, .. } =
        workflow(of, number);
    ServiceRevision { namespace, name, number, digest, project_sequence, applied_at, document }
}

fn put_workflow(of: &str, number: u64) -> Write {
    Write::PutWorkflow(Box::new(workflow(of, number)))
}

fn put_service(of: &str, number: u64) -> Write {
    Write::PutService(Box::new(service_revision(of, number)))
}

fn service(of: &str, active: Option<u64>, previous: Option<u64>) -> Service {
    Service { namespace: name("lending"), name: name(of), active, previous, state: Json::of(&[active]) }
}

#[allow(missing_docs)]
pub fn the_newest_project_counts(harness: &impl Harness) {
    let mut store = opened(harness);
    let put = |namespace, sequence| Write::PutProject(Box::new(project(namespace, sequence)));
    commit(&mut store, [put("lending", 1), put("lending", 2), put("billing", 1)]);
    assert_eq!(store.reader.project("lending").unwrap(), Some(project("lending", 2)));
    assert_eq!(store.reader.project_at("lending", 1).unwrap(), Some(project("lending", 1)));
    assert_eq!(store.reader.project_at("lending", 3).unwrap(), None);
    assert_eq!(store.reader.namespaces().unwrap(), [name("billing"), name("lending")]);
    assert!(matches!(refused(&mut store, [put("lending", 2)]), Error::Conflict { .. }));
}

#[allow(missing_docs)]
pub fn revisions_never_change(harness: &impl Harness) {
    let mut store = opened(harness);
    commit(&mut store, [put_workflow("loan", 1), put_workflow("loan", 2), put_service("parser", 1)]);
    let other = WorkflowRevision { digest: Digest::of(b"other"), ..workflow("loan", 1) };
    let other_service = ServiceRevision { digest: Digest::of(b"other"), ..service_revision("parser", 1) };
    for write in [Write::PutWorkflow(Box::new(other)), Write::PutService(Box::new(other_service))] {
        assert!(matches!(refused(&mut store, [write]), Error::Conflict { .. }));
    }
    let again = WorkflowRevision { applied_at: at(99), document: Json::null(), ..workflow("loan", 1) };
    commit(&mut store, [Write::PutWorkflow(Box::new(again)), put_service("parser", 1)]);
    assert_eq!(store.reader.workflow("lending", "loan").unwrap(), Some(workflow("loan", 1)));
    let old = store.reader.service_revision("lending", "parser", 1).unwrap();
    assert_eq!(old, Some(service_revision("parser", 1)));
}

#[allow(missing_docs)]
pub fn a_removed_workflow_keeps_its_revisions(harness: &impl Harness) {
    let mut store = opened(harness);
    let remove = Write::RemoveWorkflow { namespace: name("lending"), name: name("loan") };
    commit(&mut store, [put_workflow("loan", 1), put_workflow("loan", 2), put_workflow("report", 1)]);
    commit(&mut store, [remove.clone(), remove]);
    assert_eq!(store.reader.workflow("lending", "loan").unwrap(), None);
    let names = store.reader.workflows("lending", &PageRequest::first(9)).unwrap().items;
    assert_eq!(names, [workflow("report", 1)]);
    assert_eq!(store.reader.workflow_revision("lending", "loan", 2).unwrap(), Some(workflow("loan", 2)));
    let first = store.reader.workflow_revisions("lending", "loan", &PageRequest::first(1)).unwrap();
    assert_eq!(first.items, [workflow("loan", 2)]);
    let page = PageRequest::at(1, first.next_cursor);
    let second = store.reader.workflow_revisions("lending", "loan", &page).unwrap();
    assert_eq!(second, Page { items: vec![workflow("loan", 1)], next_cursor: None });
    commit(&mut store, [put_workflow("loan", 3)]);
    assert_eq!(store.reader.workflow("lending", "loan").unwrap(), Some(workflow("loan", 3)));
}

#[allow(missing_docs)]
pub fn a_service_has_an_active_revision(harness: &impl Harness) {
    let mut store = opened(harness);
    let set = |service| Write::SetService(Box::new(service));
    commit(&mut store, [put_service("parser", 1), set(service("parser", None, None))]);
    assert_eq!(store.reader.service("lending", "parser").unwrap(), Some(service("parser", None, None)));
    commit(&mut store, [put_service("parser", 2), set(service("parser", Some(2), Some(1)))]);
    assert_eq!(store.reader.service("lending", "parser").unwrap(), Some(service("parser", Some(2), Some(1))));
    commit(&mut store, [Write::RemoveService { namespace: name("lending"), name: name("parser") }]);
    assert_eq!(store.reader.service("lending", "parser").unwrap(), None);
    let revisions = store.reader.service_revisions("lending", "parser", &PageRequest::first(9)).unwrap();
    assert_eq!(revisions.items, [service_revision("parser", 2), service_revision("parser", 1)]);
}

#[allow(missing_docs)]
pub fn definitions_are_listed_by_name(harness: &impl Harness) {
    let mut store = opened(harness);
    for of in ["mailer", "income", "ledger"] {
        let set = Write::SetService(Box::new(service(of, Some(1), None)));
        commit(&mut store, [put_workflow(of, 1), put_service(of, 1), set]);
    }
    let workflows = store.reader.workflows("lending", &PageRequest::first(2)).unwrap();
    assert_eq!(workflows.items, [workflow("income", 1), workflow("ledger", 1)]);
    let services = store.reader.services("lending", &PageRequest::first(2)).unwrap();
    let rest = store.reader.services("lending", &PageRequest::at(2, services.next_cursor)).unwrap();
    assert_eq!(rest, Page { items: vec![service("mailer", Some(1), None)], next_cursor: None });
}
