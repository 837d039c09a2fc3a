//! Whose files are whose. Below the spool's root each process has a folder of its own, and holds a lock in it as long as it
//! lives: a folder whose lock is free was left by one that was killed. What could not be shipped, and never will, is
//! added to `refused.log` in the root, for people.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The name of the file that is locked.
const LOCK: &str = "lock";

/// The end of the names of files that are whole.
const SEGMENT: &str = "spool";

/// What nobody will take.
const REFUSED: &str = "refused.log";

/// The folder of one process, living or not. Locked until it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// One of this process's own, called `name`, which no other process uses. Names are sorted by age.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn make(root: &Path, name: &str) -> io::Result<Self> {
        // What people used may show who they are.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        let (hidden, path) = (root.join(format!(".{name}")), root.join(name));
        fs::DirBuilder::new().mode(0o700).create(&hidden)?;
        let lock = File::create(hidden.join(LOCK))?;
        lock.lock()?;
        // Nobody sees it before it is locked.
        fs::rename(&hidden, &path)?;
        Ok(Self { path, _lock: lock })
    }

    /// Those that killed processes have left, oldest first.
    ///
    /// # Errors
    /// The system's, where the root cannot be listed.
    pub(super) fn leftovers(root: &Path) -> io::Result<Vec<Self>> {
        let mut names: Vec<_> = fs::read_dir(root)?.flatten().map(|entry| entry.path()).collect();
        names.sort();
        Ok(names.into_iter().filter_map(Self::adopt).collect())
    }

    fn adopt(path: PathBuf) -> Option<Self> {
        let is_hidden = path.file_name()?.as_encoded_bytes().starts_with(b".");
        let lock = File::open(path.join(LOCK)).ok().filter(|_| !is_hidden)?;
        match lock.try_lock() {
            Ok(()) => Some(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file of that number, whole or to be.
    pub(super) fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:016}.{SEGMENT}"))
    }

    /// The numbers of its files, in order.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn segments(&self) -> io::Result<Vec<u64>> {
        let names = fs::read_dir(&self.path)?.flatten().map(|entry| entry.path());
        let is_whole = |path: &PathBuf| path.extension().is_some_and(|extension| extension == SEGMENT);
        let number = |path: PathBuf| path.file_stem()?.to_str()?.parse().ok();
        let mut numbers: Vec<_> = names.filter(is_whole).filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// How much its files hold.
    pub(super) fn bytes(&self) -> u64 {
        let numbers = self.segments().unwrap_or_default();
        let sizes = numbers.into_iter().filter_map(|number| fs::metadata(self.segment(number)).ok());
        sizes.map(|size| size.len()).sum()
    }

    /// Forgets it, when its files are gone.
    ///
    /// # Errors
    /// The system's; also if there are files yet.
    pub(super) fn remove(&self) -> io::Result<()> {
        for file in fs::read_dir(&self.path)?.flatten().map(|entry| entry.path()) {
            // A file that was not whole when its process ended is told again in the one before.
            let is_known = file.ends_with(LOCK) || file.extension().is_some_and(|end| end == "new");
            if is_known {
                fs::remove_file(file)?;
            }
        }
        fs::remove_dir(&self.path)
    }
}

/// Opens a new file that only its owner can read.
///
/// # Errors
/// The system's.
pub(super) fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Keeps `line` for people.
///
/// # Errors
/// The system's.
pub(super) fn set_aside(root: &Path, line: &[u8]) -> io::Result<()> {
    let mut file = File::options().append(true).create(true).mode(0o600).open(root.join(REFUSED))?;
    file.write_all(&[line, b"\n"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_left_over_once_its_process_is_gone() {
        let root = tempfile::tempdir().expect("a folder");
        let (first, second) = (Folder::make(root.path(), "1").expect("made"), Folder::make(root.path(), "2"));
        assert_eq!(Folder::leftovers(root.path()).expect("listed").len(), 0);
        fs::write(first.segment(7), "1234").expect("written");
        fs::write(first.path().join("0000000000000008.new"), "12").expect("written");
        drop(first);
        let mut left = Folder::leftovers(root.path()).expect("listed");
        let left = left.pop().filter(|_| left.is_empty()).expect("one");
        assert_eq!((left.segments().expect("listed"), left.bytes()), (vec![7], 4));
        assert_eq!(Folder::leftovers(root.path()).expect("listed").len(), 0, "one takes it");
        left.remove().expect_err("it has a file yet");
        let left = Folder::make(root.path(), "3").expect("made");
        left.remove().expect("removed");
        drop(second);
    }
}
