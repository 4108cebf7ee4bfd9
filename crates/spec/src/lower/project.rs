//! The whole: files and their includes, sections of all of them under one roof.

use super::{
    Context, children,
    fields::{self, Fields},
    pools,
    sections::{self, Known},
    services, triggers,
    workflow::{self, Surroundings},
};
use crate::{
    codes,
    definition::{Body, Project, Schema, Service, Workflow},
    diagnostics::Span,
    files::relative_to,
    keys,
    yaml::{self, Key, Node},
};
use consort_expr::Type;
use consort_types::{Name, NameKind};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The file at the root of a project.
pub(crate) const ROOT_FILE: &str = "consort.yaml";

/// How many files one project may include.
const FILES_MAX: usize = 1_000;

/// What cannot be said of a project of which a part could not be read.
const OF_NAMES: &[&str] = &[
    codes::E_UNKNOWN_SERVICE,
    codes::E_UNKNOWN_WORKFLOW,
    codes::E_UNKNOWN_POOL,
    codes::E_UNKNOWN_SECRET,
    codes::E_UNKNOWN_CHANNEL,
];

/// The trees of all files of a project.
#[derive(Default)]
pub(crate) struct Trees {
    trees: Vec<(Span, Node)>,
    paths: BTreeSet<String>,
    broken: bool,
}

impl Trees {
    /// Reads the root file and what it includes. None: the root has no tree.
    pub(crate) fn read(context: &Context<'_>) -> Option<Self> {
        let mut trees = Self::default();
        let file = context.report.add_file(ROOT_FILE);
        trees.load(context, ROOT_FILE, file, Span::start_of(file), &mut Vec::new());
        (!trees.trees.is_empty()).then_some(trees)
    }

    fn load(&mut self, context: &Context<'_>, path: &str, file: u32, asked: Span, chain: &mut Vec<String>) {
        self.paths.insert(path.to_owned());
        let tree =
            context.read_as(file, asked, path).and_then(|text| yaml::read(context.report, file, &text));
        let Some(tree) = tree else {
            self.broken = true;
            return;
        };
        let includes: Vec<Node> = match tree.get("include") {
            None => Vec::new(),
            Some(node) => node.items().map_or_else(|| vec![node.clone()], <[Node]>::to_vec),
        };
        self.trees.push((Span::start_of(file), tree));
        chain.push(path.to_owned());
        for include in includes.iter().filter(|node| !node.is_null()) {
            self.include(context, path, include, chain);
        }
        chain.pop();
    }

    fn include(&mut self, context: &Context<'_>, holder: &str, node: &Node, chain: &mut Vec<String>) {
        let report = context.report;
        let Some(pattern) = context.path(node) else { return };
        let found = match context.files.glob(&pattern) {
            Ok(found) => found,
            Err(error) => {
                report.error(node.span, codes::E_PATH, error.to_string(), None);
                return;
            }
        };
        if found.is_empty() {
            report.error(node.span, codes::E_PATH, format!("`{pattern}` matches no file"), None);
        }
        for path in found {
            let exact = relative_to(holder, node.text().unwrap_or("")).as_deref() == Ok(path.as_str());
            if chain.contains(&path) && exact {
                let message = format!("`{path}` is included in a circle: {} → {path}", chain.join(" → "));
                report.error(node.span, codes::E_INCLUDE_CIRCLE, message, None);
            } else if self.paths.len() >= FILES_MAX {
                let message = format!("a project has at most {FILES_MAX} files");
                report.error(node.span, codes::E_LIMIT, message, None);
                return;
            } else if !self.paths.contains(&path) {
                let file = report.add_file(&path);
                self.load(context, &path, file, node.span, chain);
            }
        }
    }

    /// All definitions of one section. Two of one name are one mistake that shows both places.
    fn section<'t>(&'t self, context: &Context<'_>, section: &str) -> Vec<(Name, &'t Key, &'t Node)> {
        let kind = sections::kind_of(section);
        let mut all: Vec<(Name, &Key, &Node)> = Vec::new();
        let mut places: BTreeMap<Name, Span> = BTreeMap::new();
        for (_, tree) in &self.trees {
            let Some(node) = tree.get(section) else { continue };
            for (name, key, node) in fields::named(context.report, node, &format!("`{section}`"), kind) {
                match places.get(&name) {
                    None => {
                        places.insert(name.clone(), key.span);
                        all.push((name, key, node));
                    }
                    Some(first) => {
                        let place =
                            format!("{}:{}:{}", context.report.path(first.file), first.line, first.column);
                        let message =
                            format!("`{name}` is defined twice under `{section}`: here and at {place}");
                        let hint = "nothing is merged inside a name; rename or remove one".to_owned();
                        context.report.error(key.span, codes::E_DUPLICATE_NAME, message, Some(hint));
                    }
                }
            }
        }
        all
    }
}

/// Checks and lowers everything.
pub(crate) fn project(context: &Context<'_>, trees: &Trees) -> Option<Project> {
    let name = top_level(context, trees);
    let names = |section| -> BTreeSet<Name> {
        // Mistakes in names are reported where the section is read.
        let all = trees.trees.iter().filter_map(|(_, tree)| tree.get(section)?.entries()).flatten();
        all.filter_map(|entry| Name::new(&entry.key.text, sections::kind_of(section)).ok()).collect()
    };
    let (channels, secret_names) = (names("notify"), names("secrets"));
    let pools = trees.section(context, "pools").into_iter();
    context.set_pools(pools.map(|(name, key, node)| (name, pools::pool(context, key, node))).collect());
    let (services, broken_services) = read_services(context, trees, &secret_names);
    let workflows = trees.section(context, "workflows");
    let inputs: BTreeMap<Name, Schema> = workflows
        .iter()
        .map(|(name, key, node)| {
            (name.clone(), workflow::input(context, key, node).unwrap_or_else(Schema::any))
        })
        .collect();
    let all_run_pools = run_pools(&workflows);
    let none = pools::Pools::new();
    let service_names: BTreeSet<Name> = services.keys().chain(&broken_services).cloned().collect();
    let known = Known { workflows: &inputs, services: &service_names, channels: &channels };
    let mut compiled = BTreeMap::new();
    let mut outputs: BTreeMap<Name, Type> = BTreeMap::new();
    for (name, key, node) in children::first(&workflows) {
        let around = Surroundings {
            context,
            services: &services,
            broken_services: &broken_services,
            inputs: &inputs,
            outputs: &outputs,
            run_pools: &none,
            all_run_pools: &all_run_pools,
            channels: &channels,
        };
        if let Some((workflow, gives)) = workflow::workflow(&around, name, key, node) {
            compiled.insert(name.clone(), Arc::new(workflow));
            outputs.insert(name.clone(), gives);
        }
    }
    inherited_pools(context, &compiled);
    let starts = triggers::Known { inputs: &inputs, secrets: &secret_names };
    let collect =
        |section: &str, read: &dyn Fn(&Name, &Key, &Node) -> Option<crate::definition::Declared>| {
            let all = trees.section(context, section).into_iter();
            all.filter_map(|(name, key, node)| Some((name.clone(), read(&name, key, node)?))).collect()
        };
    let triggers =
        collect("triggers", &|name, key, node| triggers::trigger(context, &starts, name, key, node));
    let alerts = collect("alerts", &|name, key, node| sections::alert(context, &known, name, key, node));
    let notify = collect("notify", &|name, key, node| sections::notify(context, name, key, node));
    let secrets = trees.section(context, "secrets").into_iter();
    let secrets = secrets
        .filter_map(|(name, key, node)| Some((name.clone(), sections::secret(context, &name, key, node)?)))
        .collect();
    for (_, tree) in &trees.trees {
        for entry in tree.get("services").and_then(Node::entries).unwrap_or(&[]) {
            let service = services.get(entry.key.text.as_str());
            if let (Some(service), Some(node)) = (service, entry.value.get("resources")) {
                sections::capacity(context, context.pools(), service, node);
            }
        }
    }
    if trees.broken {
        // What the others name may stand in the file that could not be read.
        context.report.forget(OF_NAMES);
    }
    let used_features = context.take_used();
    let pools =
        context.pools().iter().filter_map(|(name, pool)| Some((name.clone(), pool.clone()?))).collect();
    Some(Project {
        name: name?,
        services,
        workflows: compiled,
        pools,
        secrets,
        triggers,
        alerts,
        notify,
        used_features,
    })
}

/// Names of the pools that some workflow has for each of its runs.
fn run_pools(workflows: &[(Name, &Key, &Node)]) -> BTreeSet<Name> {
    let pools = workflows.iter().filter_map(|(_, _, node)| node.get("pools")?.entries()).flatten();
    pools.filter_map(|entry| Name::new(&entry.key.text, NameKind::Kebab).ok()).collect()
}

/// A pool of a run may be named by a workflow that such a run, or a child of it, runs.
fn inherited_pools(context: &Context<'_>, workflows: &BTreeMap<Name, Arc<Workflow>>) {
    for (workflow, pool, place) in context.take_inherited_pools() {
        let has = |owner: &&Arc<Workflow>| owner.pools.contains_key(pool.as_str());
        if !workflows.values().filter(has).any(|owner| runs(workflows, owner, &workflow)) {
            let message = format!("there is no pool `{pool}` here");
            let hint = format!(
                "a workflow has it, but does not run `{workflow}`: only a run and its children share it"
            );
            context.report.error(place, codes::E_UNKNOWN_POOL, message, Some(hint));
        }
    }
}

/// Whether a run of one workflow can have a child, near or far, of another.
fn runs(workflows: &BTreeMap<Name, Arc<Workflow>>, owner: &Workflow, child: &Name) -> bool {
    let mut seen: BTreeSet<&Name> = BTreeSet::new();
    let mut open = vec![owner];
    while let Some(workflow) = open.pop() {
        for step in &workflow.steps {
            let Body::Run { workflow: next, .. } = &step.body else { continue };
            if next == child {
                return true;
            }
            if seen.insert(next) {
                open.extend(workflows.get(next).map(|next| &**next));
            }
        }
    }
    false
}

/// The keys at the top of each file, and the name of the project.
fn top_level(context: &Context<'_>, trees: &Trees) -> Option<Name> {
    let mut name = None;
    for (index, (start, tree)) in trees.trees.iter().enumerate() {
        let Some(fields) = Fields::open(context.report, *start, tree, &keys::PROJECT) else { continue };
        if index == 0 {
            if fields.require("name").is_some() {
                name = fields.name("name", NameKind::Kebab);
            }
        } else if fields.has("name") {
            let message = format!("`name` stands in {ROOT_FILE} only");
            context.report.error(fields.place("name"), codes::E_KEY_NOT_HERE, message, None);
        }
    }
    name
}

type Services = BTreeMap<Name, Arc<Service>>;

fn read_services(
    context: &Context<'_>,
    trees: &Trees,
    secrets: &BTreeSet<Name>,
) -> (Services, BTreeSet<Name>) {
    let mut read = BTreeMap::new();
    let mut broken = BTreeSet::new();
    for (name, key, node) in trees.section(context, "services") {
        match services::service(context, &name, key, node) {
            Some(service) => {
                let places = node.get("secrets").and_then(Node::items).unwrap_or(&[]);
                for (secret, place) in service.secrets.iter().zip(places) {
                    sections::known_secret(context, secrets, secret, place.span);
                }
                read.insert(name, Arc::new(service));
            }
            None => {
                broken.insert(name);
            }
        }
    }
    (read, broken)
}
