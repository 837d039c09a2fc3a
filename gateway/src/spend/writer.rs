//! The thread that writes: whatever has come since it wrote last goes out in one write. What cannot be written is tried
//! again until it can; new requests are refused meanwhile.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;

use super::folder;
use super::line::Kind;
use super::spool::{Note, Shared};

/// More is not gathered for one write.
const GATHERED_BYTES: usize = 1 << 20;

/// What one file holds before another is begun. The shipper reads one at a time.
const SEGMENT_BYTES: u64 = 4 << 20;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Writer {
    shared: Arc<Shared>,
    notes: Receiver<Note>,
    syncs: bool,
    file: File,
    /// What of the file is known to be written.
    written: u64,
    /// Whether the file has what can be shipped.
    has_closed: bool,
    /// The last line of every request that runs. It goes into each new file, so that the files before can go.
    open: HashMap<String, Vec<u8>>,
}

/// What is written in one.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    waiting: Vec<oneshot::Sender<()>>,
    seals: Vec<oneshot::Sender<()>>,
    has_closed: bool,
    /// Who has it stop, if it is the last.
    stops: Option<oneshot::Sender<()>>,
}

impl Writer {
    /// Makes the first file.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn begin(shared: Arc<Shared>, notes: Receiver<Note>, syncs: bool) -> io::Result<Self> {
        let file = folder::create(&shared.folder.segment(0))?;
        Ok(Self { shared, notes, syncs, file, written: 0, has_closed: false, open: HashMap::new() })
    }

    /// Writes until it is told to stop, or nobody is left who could tell.
    pub(super) fn run(mut self) {
        while let Some(first) = self.notes.blocking_recv() {
            let batch = self.gather(first);
            self.write(&batch.bytes);
            self.has_closed |= batch.has_closed;
            batch.waiting.into_iter().for_each(tell);
            let is_due = self.written >= SEGMENT_BYTES || !batch.seals.is_empty();
            if is_due
                && self.has_closed
                && let Err(error) = self.rotate()
            {
                tracing::error!(%error, spool = %self.shared.root.display(), "no new file in the spool; trying again");
            }
            batch.seals.into_iter().for_each(tell);
            if let Some(stopped) = batch.stops {
                return tell(stopped);
            }
        }
    }

    fn gather(&mut self, first: Note) -> Batch {
        let mut batch = Batch::default();
        let mut next = Some(first);
        while let Some(note) = next {
            self.take(note, &mut batch);
            let may_more = batch.bytes.len() < GATHERED_BYTES && batch.stops.is_none();
            next = if may_more { self.notes.try_recv().ok() } else { None };
        }
        batch
    }

    fn take(&mut self, note: Note, batch: &mut Batch) {
        match note {
            Note::Lines { id, kind, lines, written } => {
                batch.bytes.extend_from_slice(&lines);
                batch.waiting.extend(written);
                batch.has_closed |= kind == Kind::Closed;
                match kind {
                    Kind::Open => drop(self.open.insert(id, lines)),
                    Kind::Closed => drop(self.open.remove(&id)),
                }
            }
            Note::Seal(sealed) => batch.seals.push(sealed),
            Note::Stop(stopped) => batch.stops = Some(stopped),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        while let Err(error) = self.try_write(bytes) {
            if !self.shared.is_stuck.swap(true, Ordering::Relaxed) {
                let spool = self.shared.root.display();
                tracing::error!(%error, %spool, "the spool cannot be written: new requests are refused until it can");
            }
            std::thread::sleep(PAUSE);
        }
        if self.shared.is_stuck.swap(false, Ordering::Relaxed) {
            tracing::info!(spool = %self.shared.root.display(), "the spool can be written again");
        }
        self.grow(bytes.len() as u64);
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        // What a failed write has left is not whole.
        if self.file.stream_position()? != self.written {
            self.file.set_len(self.written)?;
            self.file.seek(SeekFrom::Start(self.written))?;
        }
        self.file.write_all(bytes)?;
        if self.syncs { self.file.sync_data() } else { Ok(()) }
    }

    fn grow(&mut self, bytes: u64) {
        self.written += bytes;
        self.shared.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Begins another file. It has its name once all that is open is in it: whenever the process is killed, the last
    /// file says what ran.
    fn rotate(&mut self) -> io::Result<()> {
        let number = self.shared.current.load(Ordering::Relaxed) + 1;
        let name = self.shared.folder.segment(number);
        let hidden = name.with_extension("new");
        let lines = self.open.values().map(Vec::as_slice).collect::<Vec<_>>().concat();
        let mut file = folder::create(&hidden)?;
        file.write_all(&lines)?;
        if self.syncs {
            file.sync_all()?;
        }
        std::fs::rename(&hidden, &name)?;
        if self.syncs {
            File::open(self.shared.folder.path())?.sync_all()?;
        }
        self.file = file;
        (self.written, self.has_closed) = (0, false);
        self.grow(lines.len() as u64);
        self.shared.current.store(number, Ordering::Release);
        Ok(())
    }
}

/// Who does not wait any more has hung up.
fn tell(waiting: oneshot::Sender<()>) {
    waiting.send(()).ok();
}
