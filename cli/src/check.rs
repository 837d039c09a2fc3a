//! `fairlead check DIR`: what `up` or the operator would object to, for CI. Nothing is started.

use std::path::Path;

use catalogue::Catalogue;
use config::Bundle;

use crate::folder::{Folder, Problem};

/// Stands in for environment variables: CI has no secrets, and the files are what is checked. A URL, since a webhook must be
/// one and a key may.
const PLACEHOLDER: &str = "https://checked-without-its-value.invalid";

/// Every problem in the folder, sorted. None means that all of it would be served as written.
pub(crate) fn problems(root: &Path) -> Vec<Problem> {
    let mut folder = Folder::read(root, None, &|_| Some(PLACEHOLDER.to_owned()));
    let rendered = render::render(&folder.manifests, &Catalogue::builtin());
    let faults = rendered.findings.iter().filter(|finding| finding.reason.is_fault());
    let mut problems: Vec<_> = faults.map(|finding| folder.locate(finding)).collect();
    problems.append(&mut folder.problems);
    for (name, gateway) in &rendered.gateways {
        if let Err(error) = Bundle::pack(&gateway.config) {
            let object = Some(format!("ModelGateway/{}", name.name));
            problems.push(Problem { file: root.to_owned(), object, reason: error.to_string() });
        }
    }
    if folder.manifests.gateways.is_empty() {
        let reason = "no ModelGateway in this folder: add one named main".to_owned();
        problems.push(Problem { file: root.to_owned(), object: None, reason });
    }
    problems.sort();
    problems.dedup();
    problems
}
