//! Routes in a folder: what `check` and `up` say of them.

use std::path::Path;
use std::process::Command;

use super::{BINARY, QUICKSTART, Up, deployment};

fn route(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: fairlead.dev/v1alpha1\nkind: ModelRoute\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
    )
}

/// Exit code and complaints of `check` on a gateway with a model `hello`, and this.
fn check(manifests: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let gateway = std::fs::read_to_string(Path::new(QUICKSTART).join("gateway.yaml")).unwrap();
    let text = [gateway, manifests.to_owned()].join("\n---\n");
    std::fs::write(folder.path().join("x.yaml"), text).unwrap();
    let output = Command::new(BINARY).arg("check").arg(folder.path()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn check_judges_routes_too() {
    let sound = "targets: [{name: a, model: hello, when: \"'gold' in tags\"}], fallbacks: {onError: [hello]}";
    assert_eq!(check(&route("smart", sound)), (Some(0), String::new()));
    let refused = |spec: &str, says: &str| {
        let (code, text) = check(&route("smart", spec));
        assert!(code == Some(1) && text.contains(&format!("x.yaml: ModelRoute/smart: {says}")), "{text}");
    };
    refused(&sound.replace("tags\"", "tag\""), "InvalidCondition: targets[a].when speaks of tag,");
    refused(&sound.replace("model: hello", "model: gone"), "ModelNotFound: targets[a].model: no model gone");
    refused(&sound.replace("[hello]", "[smart]"), "FallbackLoop: fallbacks lead back");
    refused("modelName: hello, targets: [{name: a, model: hello}]", "ModelNameTaken: name hello");
    refused(&sound.replace("when", "wen"), "unknown field spec.targets");
    refused(&format!("{sound}, retries: {{atempts: 3}}"), "unknown field spec.retries.atempts");
    let loops = [
        route("a", "targets: [{name: t, model: hello}], fallbacks: {onError: [b]}"),
        route("b", "targets: [{name: t, model: hello}], fallbacks: {onError: [a]}"),
    ];
    let (code, text) = check(&loops.join("---\n"));
    assert!(code == Some(1) && text.contains("ModelRoute/b: FallbackLoop"), "{text}");
    assert!(text.contains("b -> a -> b"), "{text}");
}

#[test]
fn up_says_what_is_wrong_with_a_route_and_when_it_is_mended() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let save = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::copy(Path::new(QUICKSTART).join("gateway.yaml"), folder.path().join("gateway.yaml")).unwrap();
    let up = Up::start(folder.path(), data.path());
    save("route.yaml", &route("smart", "targets: [{name: a, model: hello}, {name: b, model: later}]"));
    let told = up.complaint("ModelRoute/smart");
    assert!(told.contains("route.yaml: ModelRoute/smart: ModelNotFound: targets[b].model"), "{told}");
    save("later.yaml", &deployment("later", "mock"));
    up.complaint("all findings are mended");
    up.ask_until("hello", 200);
}
