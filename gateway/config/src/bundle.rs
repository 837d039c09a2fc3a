//! Cuts a config into files small enough for ConfigMaps, and puts it together again.
//! An edit of one model, budget or key changes one shard and the index; a reader that finds a shard missing or
//! changed knows that the delivery is not complete yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Budget, Config, Delivery, Key, Model, ObjectName, Route, Secret, Settings, VERSION};

/// The file that is written last and names all others.
pub const INDEX_FILE: &str = "index.json";

/// How many shards models, budgets and keys are spread over. Pods mount a ConfigMap for each, so changing it is a
/// change of the chart too.
pub const SHARDS: usize = 16;

/// The largest shard. Two versions of each must fit a ConfigMap's 1 MiB while pods move over.
pub const SHARD_BYTES: usize = 500_000;

/// A config as files. Equal configs give equal bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Digest of `index`, and so of everything.
    pub revision: String,
    /// Content of [`INDEX_FILE`].
    pub index: Vec<u8>,
    /// Files by name; only shards that hold something.
    pub shards: BTreeMap<String, Vec<u8>>,
}

/// Why files are not a config.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A pod sees an old and a new file side by side for a moment: wait for the next change.
    #[error("{file} is missing: the delivery is not complete")]
    Missing {
        /// Of a shard or a credential.
        file: String,
    },
    /// The content is not what the index was written for.
    #[error("{file} does not match its digest: the delivery is not complete")]
    Altered {
        /// Of a shard.
        file: String,
    },
    /// Written by a newer or older operator.
    #[error("config version {found} is not {VERSION}: run operator and gateway of the same release")]
    Version {
        /// As written.
        found: u32,
    },
    /// Not JSON of the shape of this version.
    #[error("{file} is not readable: {reason}")]
    Unreadable {
        /// Which one.
        file: String,
        /// Position and cause; the config has no secrets.
        reason: String,
    },
    /// Too much in one slot.
    #[error(
        "shard {slot} has {bytes} bytes, more than {SHARD_BYTES}: spread models, routes, budgets and keys over several gateways"
    )]
    TooLarge {
        /// 0 to [`SHARDS`] - 1.
        slot: usize,
        /// As rendered.
        bytes: usize,
    },
}

impl BundleError {
    /// What is missing may still come: nothing was found wrong with the config.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Altered { .. })
    }
}

#[derive(Serialize, Deserialize)]
struct Index {
    version: u32,
    gateway: ObjectName,
    settings: Settings,
    shards: Vec<ShardEntry>,
}

#[derive(Serialize, Deserialize)]
struct ShardEntry {
    file: String,
    sha256: String,
}

/// What one shard holds, as written.
#[derive(Default, Serialize)]
struct Part<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<&'a Model>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<&'a Route>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    budgets: Vec<&'a Budget>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<&'a Key>,
}

/// What one shard holds, as read.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Shard {
    models: Vec<Model>,
    routes: Vec<Route>,
    budgets: Vec<Budget>,
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

impl Bundle {
    /// Cuts `config` into files.
    ///
    /// # Errors
    /// [`BundleError::TooLarge`].
    pub fn pack(config: &Config) -> Result<Self, BundleError> {
        let mut shards = BTreeMap::new();
        let mut entries = Vec::new();
        for (slot, part) in parts(config) {
            let bytes = to_json(&part, "shard")?;
            if bytes.len() > SHARD_BYTES {
                return Err(BundleError::TooLarge { slot, bytes: bytes.len() });
            }
            let sha256 = hex_sha256(&bytes);
            let file = format!("shard-{slot}-{}.json", short(&sha256));
            entries.push(ShardEntry { file: file.clone(), sha256 });
            shards.insert(file, bytes);
        }
        let index = Index {
            version: VERSION,
            gateway: config.gateway.clone(),
            settings: config.settings.clone(),
            shards: entries,
        };
        let index = to_json(&index, INDEX_FILE)?;
        Ok(Self { revision: short_digest(&index), index, shards })
    }

    /// Puts a config together from its index and what `read` gives for a file's name.
    ///
    /// # Errors
    /// All but [`BundleError::TooLarge`].
    pub fn unpack(
        index: &[u8],
        mut read: impl FnMut(&str) -> Option<Vec<u8>>,
    ) -> Result<Delivery, BundleError> {
        let VersionOnly { version } = from_json(index, INDEX_FILE)?;
        if version != VERSION {
            return Err(BundleError::Version { found: version });
        }
        let head: Index = from_json(index, INDEX_FILE)?;
        let mut config = Config {
            gateway: head.gateway,
            settings: head.settings,
            models: Vec::new(),
            routes: Vec::new(),
            budgets: Vec::new(),
            keys: Vec::new(),
        };
        for ShardEntry { file, sha256 } in head.shards {
            let bytes = read(&file).ok_or_else(|| BundleError::Missing { file: file.clone() })?;
            if hex_sha256(&bytes) != sha256 {
                return Err(BundleError::Altered { file });
            }
            let mut shard: Shard = from_json(&bytes, &file)?;
            config.models.append(&mut shard.models);
            config.routes.append(&mut shard.routes);
            config.budgets.append(&mut shard.budgets);
            config.keys.append(&mut shard.keys);
        }
        config.models.sort_by(|a, b| a.name.cmp(&b.name));
        config.routes.sort_by(|a, b| a.name.cmp(&b.name));
        config.budgets.sort_by(|a, b| a.id.cmp(&b.id));
        config.keys.sort_by(|a, b| a.id.cmp(&b.id));
        let mut credentials = BTreeMap::new();
        for credential in config.credential_refs() {
            let file = credential.file();
            let material = read(&file).ok_or_else(|| BundleError::Missing { file: file.clone() })?;
            credentials.insert(file, Secret::new(material));
        }
        Ok(Delivery { revision: short_digest(index), config, credentials })
    }
}

/// The slot in a shard's file name, or `None` if it is no shard.
#[must_use]
pub fn shard_slot(file: &str) -> Option<usize> {
    file.strip_prefix("shard-")?.split('-').next()?.parse().ok().filter(|slot| *slot < SHARDS)
}

/// What each slot holds, without the empty ones.
fn parts(config: &Config) -> BTreeMap<usize, Part<'_>> {
    let mut parts: BTreeMap<usize, Part<'_>> = BTreeMap::new();
    for model in &config.models {
        parts.entry(slot_of(&model.name)).or_default().models.push(model);
    }
    for route in &config.routes {
        parts.entry(slot_of(&route.name)).or_default().routes.push(route);
    }
    for budget in &config.budgets {
        parts.entry(slot_of(&budget.id.to_string())).or_default().budgets.push(budget);
    }
    for key in &config.keys {
        parts.entry(slot_of(&key.id.to_string())).or_default().keys.push(key);
    }
    parts
}

/// What has this name stays in its slot whatever else comes and goes, so an edit touches one shard.
fn slot_of(name: &str) -> usize {
    let digest = Sha256::digest(name.as_bytes());
    usize::from(digest.first().copied().unwrap_or_default()) % SHARDS
}

fn to_json(value: &impl Serialize, file: &str) -> Result<Vec<u8>, BundleError> {
    serde_json::to_vec(value).map_err(|error| unreadable(file, &error))
}

fn from_json<'a, T: Deserialize<'a>>(bytes: &'a [u8], file: &str) -> Result<T, BundleError> {
    serde_json::from_slice(bytes).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &str, error: &serde_json::Error) -> BundleError {
    BundleError::Unreadable { file: file.to_owned(), reason: error.to_string() }
}

/// 16 hex digits that name a content.
#[must_use]
pub fn short_digest(bytes: &[u8]) -> String {
    short(&hex_sha256(bytes)).to_owned()
}

fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 64 bits name a content well enough among the few that live side by side.
fn short(hex: &str) -> &str {
    hex.get(..16).unwrap_or(hex)
}

#[cfg(test)]
mod tests;
