//! Stands in for what `consort-spec` does not offer yet, and says so. To be
//! deleted with its landing: each name here is that of the crate.
#![allow(missing_docs, dead_code, clippy::unnecessary_wraps)]

use crate::{exit::Exit, failure::Failure};
use consort_types::Name;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

const NOT_YET: &str = "this build cannot do it yet";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
}

#[derive(Debug, Serialize)]
pub struct Problem {
    #[serde(skip)]
    pub severity: Severity,
}

#[derive(Debug)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

#[derive(Debug, Clone, Copy)]
pub enum Colour {
    Never,
    Always,
}

#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(root: &Path) -> std::io::Result<Self> {
        root.canonicalize().map(Self)
    }

    pub fn root(&self) -> &Path {
        &self.0
    }
}

#[derive(Debug)]
pub struct Project {
    pub name: Name,
    pub services: BTreeMap<Name, Arc<Service>>,
    pub workflows: BTreeMap<Name, ()>,
}

#[derive(Debug)]
pub struct Service {
    pub name: Name,
    pub runs: Runs,
    pub env_file: Option<PathBuf>,
}

#[derive(Debug)]
#[allow(dead_code)]
pub enum Runs {
    Process { source: PathBuf },
    Exec { source: PathBuf },
    Image {},
    Url {},
}

#[derive(Debug)]
pub struct Checked {
    pub project: Option<Arc<Project>>,
    pub problems: Vec<Problem>,
    pub files: Vec<SourceFile>,
}

pub fn check(_: &Folder) -> Result<Checked, Failure> {
    Err(Failure::new(Exit::Failed, format!("checking project files: {NOT_YET}")))
}

pub fn render(_: &Problem, _: &[SourceFile], _: Colour) -> String {
    String::new()
}

pub fn json_schema() -> Result<serde_json::Value, Failure> {
    Err(Failure::new(Exit::Failed, format!("the schema of the project file: {NOT_YET}")))
}
