//! The committed CustomResourceDefinitions are those of the types. `make generate` writes them anew.

use std::path::Path;

#[test]
fn the_committed_manifests_are_those_of_the_types() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for definition in crds::definitions() {
        let file = format!("{}.yaml", definition.spec.names.plural);
        let yaml = serde_saphyr::to_string(&definition).unwrap();
        let fresh = format!("# Generated from crds/src by `make generate`. Do not edit.\n{yaml}");
        for folder in ["crds/manifests", "charts/fairlead/files/crds"] {
            let path = root.join(folder).join(&file);
            if std::env::var_os("FAIRLEAD_GENERATE").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &fresh).unwrap();
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == fresh, "{} is stale: run `make generate`", path.display());
        }
    }
}
