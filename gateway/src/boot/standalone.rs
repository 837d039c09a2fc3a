//! What `fairlead up` needs beside a source: a master key that it does not have to be given.

use std::path::Path;

use anyhow::Context;
use config::Secret;
use rand::RngExt;
use store::Store;

/// Where a key comes from, to tell people at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Made just now: show it once.
    Made,
    /// Kept from an earlier start.
    Kept,
}

/// The master key of a standalone gateway: `sk-` and 256 random bits, made at the first start and kept in
/// the embedded store in `data_dir`.
///
/// # Errors
/// The store cannot be opened or written.
pub async fn standalone_master_key(data_dir: &Path) -> anyhow::Result<(Secret, Origin)> {
    let store = Store::open(data_dir)
        .await
        .with_context(|| format!("cannot open the store in {}", data_dir.display()))?;
    let mut origin = Origin::Kept;
    let make = || {
        origin = Origin::Made;
        make_key()
    };
    let key = store.setting_get_or_insert("master_key", make).await.context("cannot keep the master key")?;
    Ok((Secret::new(key.into_bytes()), origin))
}

/// The thread's generator is a cryptographic one, seeded by the system.
fn make_key() -> String {
    let bits: [u8; 32] = rand::rng().random();
    bits.iter().fold("sk-".to_owned(), |key, byte| format!("{key}{byte:02x}"))
}
