//! Secrets in a folder: `data`, `stringData`, and `env:NAME` in place of a value.

use std::collections::BTreeMap;

use config::{Secret, short_digest};
use k8s_openapi::ByteString;
use render::SecretData;
use serde::Deserialize;

/// How an environment variable is looked up; tests bring their own.
pub(crate) type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct SecretManifest {
    data: BTreeMap<String, ByteString>,
    string_data: BTreeMap<String, String>,
}

/// The material, and the names of environment variables that are not set.
pub(crate) fn material(manifest: SecretManifest, environment: &Environment<'_>) -> (SecretData, Vec<String>) {
    let mut raw: BTreeMap<String, Vec<u8>> =
        manifest.data.into_iter().map(|(key, bytes)| (key, bytes.0)).collect();
    raw.extend(manifest.string_data.into_iter().map(|(key, text)| (key, text.into_bytes())));
    let mut unset = Vec::new();
    let mut data = BTreeMap::new();
    let mut all = Vec::new();
    for (key, bytes) in raw {
        let bytes = match variable(&bytes) {
            None => bytes,
            Some(name) => match environment(&name) {
                Some(value) => value.into_bytes(),
                None => {
                    unset.push(name);
                    continue;
                }
            },
        };
        all.extend_from_slice(key.as_bytes());
        all.extend_from_slice(&bytes);
        data.insert(key, Secret::new(bytes));
    }
    // A digest may stand in the config here: it never leaves this process.
    let all = Secret::new(all);
    (SecretData { version: short_digest(all.expose()), data, issue: None }, unset)
}

fn variable(bytes: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(bytes).ok()?.trim().strip_prefix("env:")?;
    Some(name.to_owned())
}
