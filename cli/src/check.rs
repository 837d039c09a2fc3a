//! `fairlead check DIR`: what `up` or the operator would object to, for CI. Nothing is started.

use std::path::Path;

use catalogue::Catalogue;
use config::{Bundle, Secret};
use render::{Finding, Manifests, Reason};

use crate::folder::{Folder, Problem, secret_of_key};

/// What stands in for environment variables: CI has no secrets, and the files are what is checked. Nobody knows yet which
/// variable is a key and which a webhook's URL, so each is tried as both.
const STAND_INS: [&str; 2] =
    ["sk-checked-without-the-value-of-", "https://checked-without-its-value.invalid/"];

/// Stands in for the keys that are yet to be made, so that what names their VirtualKeys finds them.
fn make_keys(manifests: &mut Manifests) {
    for object in &manifests.keys {
        let Some((secret, field)) = render::key_secret(object) else { continue };
        let key = Secret::new(format!("sk-checked-before-it-is-made-{secret}").into_bytes());
        manifests.secrets.entry(secret).or_insert_with(|| secret_of_key(object, field, key));
    }
}

/// Every problem in the folder, sorted. None means that all of it would be served as written.
pub(crate) fn problems(root: &Path) -> Vec<Problem> {
    let [(mut folder, rendered), (_, other)] = STAND_INS.map(|stand_in| {
        let mut folder = Folder::read(root, None, &|name| Some(format!("{stand_in}{name}")));
        make_keys(&mut folder.manifests);
        let rendered = render::render(&folder.manifests, &Catalogue::builtin());
        (folder, rendered)
    });
    // What is wrong with one of them only is wrong with the stand-in.
    let faults = rendered.findings.iter();
    // But for two of the same: no two stand-ins are.
    let stands =
        |finding: &&Finding| finding.reason == Reason::DuplicateKey || other.findings.contains(finding);
    let faults = faults.filter(|finding| finding.reason.is_fault()).filter(stands);
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
