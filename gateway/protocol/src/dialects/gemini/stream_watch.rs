//! A stream from the side: its usage, its end and its faults. Of what is said only how long it is.

use memchr::memmem;
use serde_json::value::RawValue;

use super::stream_decode::cut;
use super::tally::Tally;
use super::{answer_decode, citations, finish, usage};
use crate::dialects::{Frame, StreamWatcher};
use crate::fault::read_stream_error;
use crate::hub::{Event, Extras, Finish};
use crate::json::{each, peek, text_bytes};

/// Watches one stream.
#[derive(Debug, Default)]
pub struct Watcher {
    is_finished: bool,
    is_broken: bool,
    has_candidates: bool,
    tally: Tally,
}

/// What matters of a chunk.
const KEYS: [&str; 4] = ["error", "candidates", "promptFeedback", usage::FIELD];

impl StreamWatcher for Watcher {
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<Event>) -> usize {
        if self.is_broken {
            return 0;
        }
        let Some([error, candidates, feedback, counts]) = peek(frame.data, KEYS) else { return 0 };
        if error.is_some() {
            self.is_broken = true;
            events.push(Event::Fault(read_stream_error(frame.data.as_bytes())));
            return 0;
        }
        let told = counts.and_then(|counts| usage::read(counts.get()));
        // Where chunks count for themselves, most say nothing else that matters.
        let is_text = self.has_candidates && told.is_some() && !may_end(frame.data);
        let said = candidates.filter(|_| !is_text).map(|list| Said::read(list, bytes)).unwrap_or_default();
        self.has_candidates |= said.candidates > 0;
        if let Some(reason) = said.reason {
            self.finish(finish::read_raw(reason, false), events);
        } else if !self.has_candidates && feedback.is_some_and(answer_decode::is_blocked) {
            self.finish(Finish::Filtered, events);
        }
        events.extend(self.tally.take(told, said.searches).map(Event::Usage));
        said.bytes
    }

    fn end(&mut self, events: &mut Vec<Event>) {
        if !self.is_broken && !self.is_finished {
            self.is_broken = true;
            events.push(Event::Fault(cut()));
        }
    }
}

/// Whether a word that matters may be in a candidate. An escape may hide one.
fn may_end(data: &str) -> bool {
    let words = ["finishReason", citations::FIELD, "\\u"];
    words.iter().any(|word| memmem::find(data.as_bytes(), word.as_bytes()).is_some())
}

impl Watcher {
    fn finish(&mut self, finish: Finish, events: &mut Vec<Event>) {
        self.is_finished = true;
        events.push(Event::Finish { candidate: 0, finish, stop: None, extras: Extras::default() });
    }
}

/// How often the candidates of an answer searched the web.
pub(super) fn searches(candidates: &RawValue) -> u64 {
    Said::read(candidates, |_| 0).searches
}

/// The candidates of one chunk.
#[derive(Default)]
struct Said<'a> {
    candidates: usize,
    reason: Option<&'a RawValue>,
    bytes: usize,
    searches: u64,
}

impl<'a> Said<'a> {
    /// Nothing, if it is no list of objects. `bytes` measures what a candidate says.
    fn read(list: &'a RawValue, bytes: fn(&RawValue) -> usize) -> Self {
        let (mut said, mut are_objects) = (Self::default(), true);
        each(list, |raw| match peek(raw.get(), ["finishReason", "content", citations::FIELD]) {
            Some([reason, content, grounding]) => {
                said.candidates += 1;
                said.reason = reason.or(said.reason);
                said.bytes += content.map_or(0, bytes);
                said.searches =
                    said.searches.saturating_add(grounding.map_or(0, |raw| citations::searches(raw.get())));
            }
            None => are_objects = false,
        });
        if are_objects { said } else { Self::default() }
    }
}

fn bytes(content: &RawValue) -> usize {
    let [parts] = peek(content.get(), ["parts"]).unwrap_or([None]);
    let mut bytes = 0;
    let mut add = |part: &RawValue| {
        let [text, call] = peek(part.get(), ["text", "functionCall"]).unwrap_or([None; 2]);
        let [name, arguments] = call.and_then(|call| peek(call.get(), ["name", "args"])).unwrap_or([None; 2]);
        bytes += text.map_or(0, text_bytes) + name.map_or(0, text_bytes);
        bytes += arguments.map_or(0, |arguments| arguments.get().len());
    };
    if let Some(parts) = parts {
        each(parts, &mut add);
    }
    bytes
}
