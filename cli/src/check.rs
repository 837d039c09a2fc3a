//! `fairlead check DIR`: what `up` or the operator would object to, for CI. Nothing is started.

use std::path::Path;

use catalogue::Catalogue;
use config::Bundle;

use crate::folder::{Folder, Problem};

/// What stands in for environment variables: CI has no secrets, and the files are what is checked. Nobody knows yet which
/// variable is a key and which a webhook's URL, so each is tried as both.
const STAND_INS: [&str; 2] =
    ["sk-checked-without-the-value-of-", "https://checked-without-its-value.invalid/"];

/// Every problem in the folder, sorted. None means that all of it would be served as written.
pub(crate) fn problems(root: &Path) -> Vec<Problem> {
    let [(mut folder, rendered), (_, other)] = STAND_INS.map(|stand_in| {
        let folder = Folder::read(root, None, &|name| Some(format!("{stand_in}{name}")));
        let rendered = render::render(&folder.manifests, &Catalogue::builtin());
        (folder, rendered)
    });
    // What is wrong with one of them only is wrong with the stand-in.
    let faults = rendered.findings.iter();
    let faults = faults.filter(|finding| finding.reason.is_fault() && other.findings.contains(finding));
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
