//! A link in a document leads to a file of this repository, or out of it.

use crate::repository::{files, none, read, root};
use std::path::Path;

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut breaches = Vec::new();
    for path in files().iter().filter(|path| path.ends_with(".md")) {
        let folder = root().join(path).parent().unwrap().to_owned();
        for target in targets(&read(path).unwrap()) {
            if !leads_somewhere(&folder, &target) {
                breaches.push(format!("{path}: {target}"));
            }
        }
    }
    none(&breaches, "Correct the link, or take it out.");
}

/// What stands in the parentheses of `[text](target)`.
fn targets(text: &str) -> Vec<String> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

fn leads_somewhere(folder: &Path, target: &str) -> bool {
    let file = target.split('#').next().unwrap_or_default();
    file.is_empty() || file.contains("://") || folder.join(file).exists()
}
