//! A stream of events as one JSON list: what `streamGenerateContent` answers without `alt=sse`.

use std::convert::Infallible;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use protocol::frames::sse::{self, Splitter};

/// The frames were limited when they came in.
const NO_LIMIT: usize = usize::MAX;

/// The data of `events`, with commas between and brackets around. The list is closed also after an error, which
/// is its last element then.
pub(in super::super) fn as_list(
    events: impl Stream<Item = Result<Bytes, Infallible>> + Send,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let list = List { splitter: Splitter::new(NO_LIMIT), before: "[" };
    // `None` is the end: what is left then may lack its blank line.
    let ended = events.map(Some).chain(stream::iter([None]));
    let written = ended.scan(list, |list, chunk| {
        let out = match chunk {
            Some(Ok(chunk)) => list.more(&chunk),
            None => list.end(),
        };
        std::future::ready(Some(out))
    });
    written.filter(|out| std::future::ready(!out.is_empty())).map(|out| Ok(Bytes::from(out)))
}

struct List {
    splitter: Splitter,
    /// What goes before the next element.
    before: &'static str,
}

impl List {
    fn more(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.splitter.push(chunk);
        while let Ok(Some(frame)) = self.splitter.next_frame() {
            self.element(&frame, &mut out);
        }
        out
    }

    fn end(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let splitter = std::mem::replace(&mut self.splitter, Splitter::new(NO_LIMIT));
        self.element(&splitter.finish(), &mut out);
        out.extend_from_slice(if self.before == "[" { b"[]" } else { b"]" });
        out
    }

    fn element(&mut self, frame: &[u8], out: &mut Vec<u8>) {
        if let Some(data) = sse::data(frame) {
            out.extend_from_slice(self.before.as_bytes());
            out.extend_from_slice(&data);
            self.before = ",\n";
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn listed(chunks: &[&'static str]) -> String {
        let chunks = stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))));
        let all: Vec<_> = as_list(chunks).collect().await;
        all.iter().map(|bytes| String::from_utf8_lossy(bytes.as_ref().expect("bytes")).into_owned()).collect()
    }

    #[tokio::test]
    async fn events_become_elements() {
        let chunks = ["data: {\"a\":1}\n\ndata: 2\n\n", ": hi\n\n", "data: 3"];
        assert_eq!(listed(&chunks).await, "[{\"a\":1},\n2,\n3]");
        assert_eq!(listed(&[]).await, "[]");
    }
}
