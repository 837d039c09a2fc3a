//! What one file of a spool holds.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use store::SpendRecord;

use super::line::{self, Kind};

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Segment {
    /// Of requests that are over.
    pub(super) closed: Vec<SpendRecord>,
    /// Of requests that ran when the file ended, as far as they were told.
    pub(super) open: BTreeMap<String, SpendRecord>,
    /// Lines that cannot be read. Not the last one if it has no end: nobody was told that it is written.
    pub(super) damaged: Vec<Vec<u8>>,
}

impl Segment {
    /// Reads a file.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&std::fs::read(path)?))
    }

    fn of(bytes: &[u8]) -> Self {
        let mut segment = Self::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(whole) = line.strip_suffix(b"\n") else { break };
            match line::read(whole) {
                Some((Kind::Open, record)) => drop(segment.open.insert(record.request_id.clone(), record)),
                Some((Kind::Closed, record)) => {
                    segment.open.remove(&record.request_id);
                    segment.closed.push(record);
                }
                None => segment.damaged.push(whole.to_owned()),
            }
        }
        segment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[(Kind, &str, i64)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, id, cost) in lines {
            let record =
                SpendRecord { request_id: (*id).into(), cost_nano: Some(*cost), ..SpendRecord::default() };
            line::write(&mut bytes, *kind, &record);
        }
        bytes
    }

    #[test]
    fn what_is_closed_is_not_open_and_the_last_word_counts() {
        let bytes = lines(&[
            (Kind::Open, "a", 1),
            (Kind::Open, "b", 1),
            (Kind::Open, "b", 2),
            (Kind::Closed, "a", 3),
        ]);
        let segment = Segment::of(&bytes);
        let costs = |records: Vec<&SpendRecord>| -> Vec<_> {
            records.iter().map(|one| (one.request_id.clone(), one.cost_nano)).collect()
        };
        assert_eq!(costs(segment.closed.iter().collect()), [("a".to_owned(), Some(3))]);
        assert_eq!(costs(segment.open.values().collect()), [("b".to_owned(), Some(2))]);
        assert!(segment.damaged.is_empty());
    }

    #[test]
    fn a_torn_end_is_nothing_and_a_spoilt_line_is_kept_apart() {
        let bytes = lines(&[(Kind::Closed, "a", 1), (Kind::Closed, "b", 2)]);
        for end in 0..=bytes.len() {
            let segment = Segment::of(&bytes[..end]);
            assert!(segment.damaged.is_empty(), "{end}");
            assert_eq!(segment.closed.len(), bytes[..end].iter().filter(|byte| **byte == b'\n').count());
        }
        let mut spoilt = bytes;
        spoilt[3] = b'x';
        let segment = Segment::of(&spoilt);
        assert_eq!((segment.closed.len(), segment.damaged.len()), (1, 1));
    }
}
