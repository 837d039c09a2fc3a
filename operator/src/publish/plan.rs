//! What to write, decided from what is there and what should be. No IO.

use std::collections::BTreeMap;

use config::{Bundle, SHARDS, Secret, shard_slot};

use super::Children;

/// Files by name, as in a ConfigMap.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What to write, in this order. What is absent stays as it is.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub credentials: Option<BTreeMap<String, Secret>>,
    /// By slot.
    pub shards: BTreeMap<usize, Files>,
    pub index: Option<Vec<u8>>,
}

/// Compares what is there with `bundle` and its `credentials`.
pub(super) fn plan(children: &Children, bundle: &Bundle, credentials: &BTreeMap<String, Secret>) -> Plan {
    let index_files = children.index.as_ref().map(|child| &child.files);
    let index = index_files.and_then(|files| files.get(config::INDEX_FILE));
    let shards = (0..SHARDS).filter_map(|slot| shard(children, bundle, slot).map(|files| (slot, files)));
    let same_index = index == Some(&bundle.index) && index_files.is_some_and(|files| files.len() == 1);
    Plan {
        credentials: credentials_to_write(children, bundle, credentials),
        shards: shards.collect(),
        index: (!same_index).then(|| bundle.index.clone()),
    }
}

/// The files of a slot, if they must be written. A file that no index needs any more goes with the next
/// write and is not worth one of its own.
fn shard(children: &Children, bundle: &Bundle, slot: usize) -> Option<Files> {
    let empty = Files::new();
    let there = children.shards.get(&slot).map_or(&empty, |child| &child.files);
    let mut needed: Files = there.clone();
    if children.committed.revision.is_none() || children.committed.config.is_some() {
        needed.retain(|file, _| children.committed.files.contains(file));
    }
    needed.retain(|file, _| shard_slot(file) == Some(slot));
    let new = bundle.shards.iter().filter(|(file, _)| shard_slot(file) == Some(slot));
    needed.extend(new.map(|(file, bytes)| (file.clone(), bytes.clone())));
    let complete = needed.iter().all(|(file, bytes)| there.get(file) == Some(bytes));
    let clean = there.len() <= 2 && there.keys().all(|file| shard_slot(file) == Some(slot));
    (!complete || !clean).then_some(needed)
}

/// Material that is out of use must not stay for long, so here also a removal is worth a write: with the
/// next publish, when no pod that keeps up needs it any more.
fn credentials_to_write(
    children: &Children,
    bundle: &Bundle,
    credentials: &BTreeMap<String, Secret>,
) -> Option<BTreeMap<String, Secret>> {
    let empty = BTreeMap::new();
    let there = children.credentials.as_ref().map_or(&empty, |child| &child.files);
    let mut wanted = there.clone();
    let moves_on = children.committed.revision.as_ref() != Some(&bundle.revision);
    if moves_on && children.committed.config.is_some() {
        wanted.retain(|file, _| children.committed.files.contains(file));
    }
    wanted.extend(credentials.iter().map(|(file, material)| (file.clone(), material.clone())));
    (wanted != *there).then_some(wanted)
}
