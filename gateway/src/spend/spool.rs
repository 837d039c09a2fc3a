//! A place in the spool for every request that runs. A request without one is not served, so that no answer goes out that
//! cannot be accounted for: what is full refuses, and never drops.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use store::SpendRecord;
use tokio::sync::mpsc::{self, OwnedPermit, Sender};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::folder::Folder;
use super::line::{self, Kind};
use super::writer::Writer;

/// Requests that may run at once. Each holds a place, so that its record never waits for one.
const PLACES: usize = 1 << 16;

/// An answer waits no longer for its record to be written: then the disk is what is broken, new requests are refused,
/// and the record stays with the writer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The settings of a spool.
#[derive(Clone, Debug)]
pub struct SpoolOptions {
    /// Where its files are. It must outlive the process.
    pub folder: PathBuf,
    /// New requests are refused while its files hold more.
    pub bytes: u64,
    /// Whether each write is synced to the disk, so that it outlives the machine too.
    pub syncs: bool,
}

/// Where spend records wait for the store. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    notes: Sender<Note>,
    pub(super) shared: Arc<Shared>,
}

/// What the requests, the writer and the shipper know of each other.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) root: PathBuf,
    pub(super) folder: Folder,
    /// The number of the file that is written; those before are whole.
    pub(super) current: AtomicU64,
    /// What the files hold.
    pub(super) bytes: AtomicU64,
    /// The disk takes nothing.
    pub(super) is_stuck: AtomicBool,
    limit: u64,
    pub(super) clock: fn() -> i64,
}

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Note {
    /// Lines of the request `id`.
    Lines { id: String, kind: Kind, lines: Vec<u8>, written: Option<oneshot::Sender<()>> },
    /// Begin another file, if there is anything to ship in this one.
    Seal(oneshot::Sender<()>),
    /// Write no more.
    Stop(oneshot::Sender<()>),
}

/// The place of one request. It must be closed, or the request is told for ever.
#[derive(Debug)]
pub(crate) struct Entry {
    id: String,
    spool: Spool,
    place: OwnedPermit<Note>,
}

/// There is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Spool {
    /// Opens a spool. `clock` tells the microseconds since 1970, `name` is this process's alone.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub(crate) fn open(options: &SpoolOptions, name: &str, clock: fn() -> i64) -> io::Result<Self> {
        Self::begin(Folder::make(&options.folder, name)?, options, clock)
    }

    fn begin(folder: Folder, options: &SpoolOptions, clock: fn() -> i64) -> io::Result<Self> {
        let (notes, received) = mpsc::channel(PLACES);
        let shared = Arc::new(Shared {
            root: options.folder.clone(),
            folder,
            current: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            is_stuck: AtomicBool::new(false),
            limit: options.bytes,
            clock,
        });
        let writer = Writer::begin(Arc::clone(&shared), received, options.syncs)?;
        // Nobody joins it: on a disk that hangs it would never end. It tells when it stops.
        std::thread::Builder::new().name("spool".into()).spawn(move || writer.run())?;
        Ok(Self { notes, shared })
    }

    /// Microseconds since 1970.
    pub(crate) fn now_us(&self) -> i64 {
        (self.shared.clock)()
    }

    /// What its files hold.
    pub(crate) fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// A place for the request `id`.
    ///
    /// # Errors
    /// [`Full`]: also while the disk takes nothing.
    pub(crate) fn enter(&self, id: &str) -> Result<Entry, Full> {
        let is_full = self.bytes() >= self.shared.limit || self.shared.is_stuck.load(Ordering::Relaxed);
        let place = self.notes.clone().try_reserve_owned().map_err(|_| Full)?;
        if is_full { Err(Full) } else { Ok(Entry { id: id.to_owned(), spool: self.clone(), place }) }
    }

    /// Begins another file, if there is anything to ship in this one.
    pub(super) async fn seal(&self) {
        let (sealed, is_sealed) = oneshot::channel();
        if self.notes.send(Note::Seal(sealed)).await.is_ok() {
            // An error is that the writer has ended: then all of its files are whole.
            is_sealed.await.ok();
        }
    }

    /// Writes what has been told so far, and nothing after. Says whether that came to an end in time: if not, the
    /// writer still has its file.
    pub(super) async fn stop(&self, patience: Duration) -> bool {
        let (stopped, has_stopped) = oneshot::channel();
        let stopping = async {
            // An error is that it has ended.
            if self.notes.send(Note::Stop(stopped)).await.is_ok() {
                has_stopped.await.ok();
            }
        };
        let is_over = timeout(patience, stopping).await.is_ok();
        if !is_over {
            tracing::error!(spool = %self.shared.root.display(), "spend records could not be written");
        }
        is_over
    }
}

impl Entry {
    /// What the request has cost if nothing more is heard of it. Returns when that is written.
    pub(crate) async fn open(&self, record: &SpendRecord) {
        let (written, is_written) = oneshot::channel();
        let note = self.note(record, Some(written));
        let writing = async {
            // An error is that the writer has ended, at shutdown.
            if self.spool.notes.send(note).await.is_ok() {
                is_written.await.ok();
            }
        };
        timeout(PATIENCE, writing).await.ok();
    }

    /// The same, when it changes. Where there is no place for it, the next one will do.
    pub(crate) fn tell(&self, record: &SpendRecord) {
        self.spool.notes.try_send(self.note(record, None)).ok();
    }

    fn note(&self, record: &SpendRecord, written: Option<oneshot::Sender<()>>) -> Note {
        let mut lines = Vec::new();
        line::write(&mut lines, Kind::Open, record);
        Note::Lines { id: self.id.clone(), kind: Kind::Open, lines, written }
    }

    /// What the request, and each attempt that failed, has cost. Never waits: what it returns does, until that is
    /// written, and need not be asked.
    pub(crate) fn close<'a>(self, records: impl IntoIterator<Item = &'a SpendRecord>) -> Written {
        let (written, is_written) = oneshot::channel();
        let mut lines = Vec::new();
        for record in records {
            line::write(&mut lines, Kind::Closed, record);
        }
        self.place.send(Note::Lines { id: self.id, kind: Kind::Closed, lines, written: Some(written) });
        Written(is_written)
    }
}

/// Tells when a record is written.
#[derive(Debug)]
pub(crate) struct Written(oneshot::Receiver<()>);

impl Written {
    /// Returns when it is, or when the disk takes too long.
    pub(crate) async fn wait(self) {
        if timeout(PATIENCE, self.0).await.is_err() {
            tracing::error!("a spend record is not written yet, and its answer goes out");
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::*;

    fn options(root: &Path) -> SpoolOptions {
        SpoolOptions { folder: root.to_owned(), bytes: 1 << 20, syncs: false }
    }

    /// One whose disk takes nothing, and that has something to write.
    pub(in super::super) async fn stuck(root: &Path) -> Spool {
        let folder = Folder::make(root, "1").expect("made");
        std::os::unix::fs::symlink("/dev/full", folder.segment(0)).expect("linked");
        let spool = Spool::begin(folder, &options(root), || 0).expect("begun");
        spool.enter("a").expect("a place").close([&SpendRecord::default()]);
        while !spool.shared.is_stuck.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        spool
    }

    #[tokio::test]
    async fn a_disk_that_takes_nothing_holds_up_nobody_who_stops() {
        let root = tempfile::tempdir().expect("a folder");
        let spool = stuck(root.path()).await;
        let patience = Duration::from_millis(20);
        assert!(!spool.stop(patience).await, "it cannot have been written");
        while spool.notes.try_send(Note::Seal(oneshot::channel().0)).is_ok() {}
        assert!(!spool.stop(patience).await, "nor can it be told");
        // This ends, since dropping the runtime waits for no thread that writes.
    }

    #[tokio::test]
    async fn what_was_told_is_written_when_it_has_stopped() {
        let root = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(&options(root.path()), "1", || 0).expect("opened");
        spool.enter("a").expect("a place").close([&SpendRecord::default()]);
        assert!(spool.stop(PATIENCE).await);
        let written = std::fs::read_to_string(spool.shared.folder.segment(0)).expect("a file");
        assert_eq!(written.lines().count(), 1, "{written}");
        assert!(spool.stop(PATIENCE).await, "it has, and once more says nothing else");
    }
}
