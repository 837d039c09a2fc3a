//! What `fairlead up` needs beside a source: a store of its own, and a master key that it does not have to be given.

use std::path::Path;

use anyhow::Context;
use config::Secret;
use rand::RngExt;
use store::Store;

use super::server::unix_seconds;

/// Where a key comes from, to tell people at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Made just now: show it once.
    Made,
    /// Kept from an earlier start.
    Kept,
}

/// The embedded store in `data_dir`, both made at the first start.
///
/// # Errors
/// It cannot be opened or written.
pub async fn standalone_store(data_dir: &Path) -> anyhow::Result<Store> {
    let opened = Store::open(data_dir).await;
    opened.with_context(|| format!("cannot open the store in {}", data_dir.display()))
}

/// The master key of a standalone gateway: `sk-` and 256 random bits, made at the first start and kept in `store`.
///
/// # Errors
/// The store cannot be read or written.
pub async fn standalone_master_key(store: &Store) -> anyhow::Result<(Secret, Origin)> {
    let mut origin = Origin::Kept;
    let make = || {
        origin = Origin::Made;
        make_key()
    };
    let key = store.setting_get_or_insert("master_key", make).await.context("cannot keep the master key")?;
    Ok((Secret::new(key.into_bytes()), origin))
}

/// The key of the virtual key `name` of a standalone gateway, and the Unix second when it was made: at the first
/// call, then kept in `store`.
///
/// # Errors
/// The store cannot be read or written.
pub async fn standalone_virtual_key(store: &Store, name: &str) -> anyhow::Result<(Secret, u64)> {
    let born = unix_seconds();
    let make = || format!("{born} {}", make_key());
    let kept = store.setting_get_or_insert(&format!("virtual_key {name}"), make).await;
    let kept = kept.with_context(|| format!("cannot keep the key of VirtualKey {name}"))?;
    let parts = kept.split_once(' ').and_then(|(born, key)| Some((key, born.parse().ok()?)));
    let (key, born) = parts.with_context(|| format!("what is kept for VirtualKey {name} is no key"))?;
    Ok((Secret::new(key.as_bytes().to_vec()), born))
}

/// The thread's generator is a cryptographic one, seeded by the system.
fn make_key() -> String {
    let bits: [u8; 32] = rand::rng().random();
    bits.iter().fold("sk-".to_owned(), |key, byte| format!("{key}{byte:02x}"))
}
