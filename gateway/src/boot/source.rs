//! Reads the config from a mounted directory. The kubelet changes such a directory by swapping the symlink
//! `..data`; that is watched, and polled slowly for file systems that tell nothing. Never watch single files:
//! they are symlinks whose targets vanish.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use config::{Bundle, Delivery, INDEX_FILE, short_digest};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::snapshot::{Feed, Problem};

/// How often to look without being told.
const POLL: Duration = Duration::from_secs(2);

/// Follows the config in `directory` until `shutdown`: what it gives first is what is there, and the future
/// does the watching. The directory may appear later.
pub fn watch_directory(
    directory: PathBuf,
    shutdown: CancellationToken,
) -> (watch::Receiver<Feed>, impl Future<Output = ()> + Send) {
    let (sender, receiver) = watch::channel(Feed::default());
    let follow = async move {
        tokio::select! {
            () = follow(directory, sender) => {}
            () = shutdown.cancelled() => {}
        }
    };
    (receiver, follow)
}

async fn follow(directory: PathBuf, feed: watch::Sender<Feed>) {
    // One place is enough: a second event before the first is read tells nothing new, so it is dropped.
    let (wake, mut woken) = mpsc::channel(1);
    let mut watcher = None;
    let mut known = Vec::new();
    loop {
        if watcher.is_none() {
            watcher = watch(&directory, wake.clone());
        }
        let place = directory.clone();
        let seen = std::mem::take(&mut known);
        let looked = tokio::task::spawn_blocking(move || look(&place, seen)).await;
        // The task cannot panic, and is cancelled only with the runtime.
        let Ok((index, reading)) = looked else { return };
        known = index;
        if let Some(reading) = reading {
            tell(&feed, reading);
        }
        // A late wake-up and an early one lead to the same look.
        timeout(POLL, woken.recv()).await.map(drop).ok();
    }
}

/// Watches the directory itself, where `..data` is renamed. `None` if it is not there or nothing can be
/// watched: then the poll has to do.
fn watch(directory: &Path, wake: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event| {
        if is_change(&event) {
            wake.try_send(()).ok();
        }
    })
    .ok()?;
    watcher.watch(directory, RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}

/// Reading is an event too; to wake for it would be to read for ever. A lost event may have been a change.
fn is_change(event: &notify::Result<notify::Event>) -> bool {
    event.as_ref().map_or(true, |event| !event.kind.is_access())
}

fn tell(feed: &watch::Sender<Feed>, reading: Result<Delivery, Problem>) {
    feed.send_if_modified(|feed| match reading {
        Ok(delivery) => {
            *feed = Feed { delivery: Some(Arc::new(delivery)), problem: None };
            true
        }
        Err(problem) => {
            let is_new = feed.problem.as_ref() != Some(&problem);
            feed.problem = Some(problem);
            is_new
        }
    });
}

/// Reads the directory, unless its index is `known`: files are named by content, so then all is the same.
/// Gives the index to know, empty after a problem, so that the next look reads again.
fn look(directory: &Path, known: Vec<u8>) -> (Vec<u8>, Option<Result<Delivery, Problem>>) {
    // Resolved once: a swap while reading must not mix two versions.
    let root = std::fs::canonicalize(directory.join("..data")).unwrap_or_else(|_| directory.to_owned());
    let index = match std::fs::read(root.join(INDEX_FILE)) {
        Ok(index) if index == known => return (known, None),
        Ok(index) => index,
        Err(error) => return (Vec::new(), Some(Err(no_index(directory, &error)))),
    };
    match Bundle::unpack(&index, |file| read_flat(&root, file)) {
        Ok(delivery) => (index, Some(Ok(delivery))),
        Err(error) => {
            // The rest may be on its way: to call that refused would have nobody hurry it.
            let rejected = (!error.is_incomplete()).then(|| short_digest(&index));
            (Vec::new(), Some(Err(Problem { reason: error.to_string(), rejected })))
        }
    }
}

/// The index names files; none of them may lie elsewhere.
fn read_flat(root: &Path, file: &str) -> Option<Vec<u8>> {
    if file.contains(['/', '\\']) {
        return None;
    }
    std::fs::read(root.join(file)).ok()
}

fn no_index(directory: &Path, error: &std::io::Error) -> Problem {
    let place = directory.join(INDEX_FILE);
    let reason = match error.kind() {
        std::io::ErrorKind::NotFound => format!("no config yet: {} does not exist", place.display()),
        _ => format!("{} cannot be read: {error}", place.display()),
    };
    Problem { reason, rejected: None }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};

    use super::*;

    #[test]
    fn only_changes_wake_and_reading_is_none() {
        let is_change = |kind| is_change(&Ok(notify::Event::new(kind)));
        assert!(!is_change(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(is_change(EventKind::Create(CreateKind::Any)));
        assert!(is_change(EventKind::Modify(ModifyKind::Name(RenameMode::To))), "as `..data` is swapped");
        assert!(super::is_change(&Err(notify::Error::generic("overflow"))));
    }
}
