//! One line of a spool: a checksum, what kind it is, and a record as JSON. `1a2b3c4d c {…}`.

use crc::{CRC_32_ISCSI, Crc};
use store::SpendRecord;

const SUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// What a line says of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It runs: this is what it has cost if nothing more is heard of it. A later line replaces it.
    Open,
    /// This is what it has cost.
    Closed,
}

/// Appends a line.
pub(super) fn write(out: &mut Vec<u8>, kind: Kind, record: &SpendRecord) {
    let mut body = vec![kind.letter(), b' '];
    // A record is numbers and text, which always can be written.
    if serde_json::to_writer(&mut body, record).is_ok() {
        out.extend_from_slice(format!("{:08x} ", SUM.checksum(&body)).as_bytes());
        out.extend_from_slice(&body);
        out.push(b'\n');
    }
}

/// Reads a line without its end; `None` if it is not whole.
pub(super) fn read(line: &[u8]) -> Option<(Kind, SpendRecord)> {
    let (sum, body) = (line.get(..8)?, line.get(9..)?);
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    if SUM.checksum(body) != sum {
        return None;
    }
    let kind = Kind::read(*body.first()?)?;
    Some((kind, serde_json::from_slice(body.get(2..)?).ok()?))
}

impl Kind {
    fn letter(self) -> u8 {
        match self {
            Self::Open => b'o',
            Self::Closed => b'c',
        }
    }

    fn read(letter: u8) -> Option<Self> {
        [Self::Open, Self::Closed].into_iter().find(|kind| kind.letter() == letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written_or_not_at_all() {
        let record = SpendRecord {
            request_id: "r".into(),
            customer_id: Some("zwei\nZeilen 🎉".into()),
            cost_nano: Some(7),
            ..SpendRecord::default()
        };
        let mut line = Vec::new();
        write(&mut line, Kind::Closed, &record);
        assert_eq!(line.pop(), Some(b'\n'));
        assert_eq!(read(&line), Some((Kind::Closed, record)));
        for place in 0..line.len() {
            assert_eq!(read(&line[..place]), None, "cut at {place}");
            let mut spoilt = line.clone();
            spoilt[place] ^= 2;
            // The blank between the sum and the rest says nothing.
            assert_eq!(read(&spoilt).is_some(), place == 8, "spoilt at {place}");
        }
    }

    #[test]
    fn lines_of_other_releases_are_read() {
        let body = br#"c {"request_id":"r","surprise":1}"#;
        let line = [format!("{:08x} ", SUM.checksum(body)).as_bytes(), body].concat();
        let record = SpendRecord { request_id: "r".into(), ..SpendRecord::default() };
        assert_eq!(read(&line), Some((Kind::Closed, record)));
    }
}
