//! What a folder of files comes to, and what people are told about the rest.

use super::*;

fn read(files: &[(&str, &str)]) -> (tempfile::TempDir, Folder) {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let environment = |name: &str| (name == "SET").then(|| "sk-from-env".to_owned());
    let folder = Folder::read(root.path(), Some(&root.path().join("data")), &environment);
    (root, folder)
}

fn problems(files: &[(&str, &str)]) -> Vec<String> {
    let (root, folder) = read(files);
    let prefix = format!("{}/", root.path().display());
    folder.problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect()
}

const DEPLOYMENT: &str = "
apiVersion: fairlead.dev/v1alpha1
kind: ModelDeployment
metadata: {name: gpt}
spec: {provider: {type: mock}}
";

#[test]
fn yaml_json_lists_and_subfolders_are_read() {
    let list = r#"{"apiVersion":"v1","kind":"List","items":[
        {"apiVersion":"fairlead.dev/v1alpha1","kind":"ModelGateway","metadata":{"name":"main"},"spec":{}}]}"#;
    let (_root, folder) = read(&[
        ("a.yaml", &format!("# a comment\n---\n{DEPLOYMENT}---\n")),
        ("sub/b.json", list),
        ("notes.txt", "not YAML"),
        ("data/state.yaml", ": broken ["),
        (".git/config.yaml", ": broken ["),
        ("other.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"),
    ]);
    assert_eq!(folder.problems, []);
    assert_eq!((folder.manifests.gateways.len(), folder.manifests.deployments.len()), (1, 1));
}

#[test]
fn secrets_come_as_data_as_text_or_from_the_environment() {
    let (_root, folder) = read(&[(
        "s.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: c2stZGF0YQ==}\n\
         stringData: {b: sk-text, c: 'env:SET', d: 'env:UNSET'}\n",
    )]);
    let name = config::ObjectName { namespace: "default".into(), name: "s".into() };
    let data = &folder.manifests.secrets[&name].data;
    let text = |key: &str| String::from_utf8_lossy(data[key].expose()).into_owned();
    assert_eq!([text("a"), text("b"), text("c")], ["sk-data", "sk-text", "sk-from-env"]);
    assert!(!data.contains_key("d"));
    assert!(folder.problems[0].reason.contains("environment variable UNSET is not set"));
}

#[test]
fn a_problem_names_file_object_and_reason() {
    assert_eq!(
        problems(&[("a.yaml", &DEPLOYMENT.replace("type: mock", "type: mock, modle: x"))]),
        ["a.yaml: ModelDeployment/gpt: unknown field spec.provider.modle: it does nothing"]
    );
    assert_eq!(
        problems(&[("a.yaml", &DEPLOYMENT.replace("v1alpha1", "v2"))]),
        ["a.yaml: ModelDeployment/gpt: apiVersion fairlead.dev/v2 is not known: write fairlead.dev/v1alpha1"]
    );
    assert_eq!(
        problems(&[("a.yaml", DEPLOYMENT), ("b.yaml", DEPLOYMENT)])[0].split(" is in ").next().unwrap(),
        "b.yaml: ModelDeployment/gpt:"
    );
    let wrong_type = problems(&[("a.yaml", &DEPLOYMENT.replace("{type: mock}", "mock"))]);
    assert!(wrong_type[0].starts_with("a.yaml: ModelDeployment/gpt: "), "{wrong_type:?}");
    assert!(problems(&[("a.yaml", "a: [")])[0].starts_with("a.yaml: is not YAML: "));
    let nameless = problems(&[("a.yaml", &DEPLOYMENT.replace("{name: gpt}", "{}"))]);
    assert_eq!(nameless, ["a.yaml: ModelDeployment: metadata.name is missing"]);
}

#[test]
fn a_broken_file_does_not_hide_the_others() {
    let (_root, folder) = read(&[("a.yaml", "a: ["), ("b.yaml", DEPLOYMENT)]);
    assert_eq!(folder.manifests.deployments.len(), 1);
}

#[test]
fn a_secrets_value_is_in_no_message() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: 'sk-not-base64!'}\n";
    let problems = problems(&[("s.yaml", text)]);
    assert!(!problems[0].contains("sk-not"), "{problems:?}");
}
