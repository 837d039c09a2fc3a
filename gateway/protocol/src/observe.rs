//! Looks at the frames of a stream as they pass. Changes nothing and cannot fail: what it does not understand
//! it has not seen. `chunks.rs` is fast, since most streams are OpenAI's; the others have
//! watchers in their folders.

mod chunks;
mod heard;

pub use chunks::is_usage_only;
pub use heard::Heard;

use catalogue::Dialect;

use crate::dialects::{Frame, StreamWatcher, stream_watcher};
use crate::fault::Reading;
use crate::frames::sse;
use crate::hub::Event;
use crate::usage::Usage;

/// What a stream has told so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Nothing that matters comes any more: `[DONE]`, or the end of an answer that ends with its reason.
    pub done: bool,
    /// Why the answer ended has come.
    pub finished: bool,
    /// The last usage seen: providers count up to it.
    pub usage: Option<Usage>,
    /// About how much has been said, where no usage is.
    pub heard: Heard,
    /// An error inside the stream, or that it ended too early.
    pub error: Option<Reading>,
    /// The error came where clients look.
    pub is_error_shown: bool,
}

impl Seen {
    /// Whether the stream may end here and the answer is whole.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.done || self.finished
    }

    /// Takes what a decoder made of the stream.
    pub(crate) fn event(&mut self, event: &Event) {
        self.heard.event(event);
        match event {
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Finish { .. } => (self.finished, self.done) = (true, true),
            Event::Fault(reading) => self.error = Some(reading.clone()),
            _ => {}
        }
    }
}

/// Watches one stream.
pub struct Observer {
    seen: Seen,
    /// Absent for OpenAI's streams of chunks, which need none.
    watcher: Option<Box<dyn StreamWatcher>>,
    events: Vec<Event>,
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observer").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Observer {
    /// For a stream of `dialect`.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { seen: Seen::default(), watcher: stream_watcher(dialect), events: Vec::new() }
    }

    /// What has been told so far.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Takes one frame, as the splitter gives it, or what is left at the end.
    pub fn frame(&mut self, frame: &[u8]) {
        let Some(watcher) = &mut self.watcher else { return chunks::look(&mut self.seen, frame) };
        with_parts(frame, |frame| self.seen.heard.text(watcher.push(frame, &mut self.events)));
        for event in self.events.drain(..) {
            self.seen.is_error_shown |= matches!(event, Event::Fault(_));
            self.seen.event(&event);
        }
    }

    /// Nothing more comes. An early end is an error, in the dialects that can tell.
    pub fn end(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        if self.seen.error.is_none() {
            watcher.end(&mut self.events);
            self.events.drain(..).for_each(|event| self.seen.event(&event));
            // Watchers know what an early end is.
            self.seen.done = self.seen.error.is_none();
        }
    }
}

/// Takes `frame` apart for `take`, if it has data. Bytes that are no UTF-8 become U+FFFD, as the format has it.
pub(crate) fn with_parts(frame: &[u8], take: impl FnOnce(Frame<'_>)) {
    let Some(data) = sse::data(frame) else { return };
    let name = sse::field(frame, "event");
    let name = name.as_deref().map(String::from_utf8_lossy);
    let data = String::from_utf8_lossy(&data);
    take(Frame { event: name.as_deref(), data: &data });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(frames: &[&str]) -> Seen {
        let mut observer = Observer::new(Dialect::OpenaiChat);
        frames.iter().for_each(|frame| observer.frame(frame.as_bytes()));
        observer.seen().clone()
    }

    #[test]
    fn the_end_of_a_stream_is_seen() {
        assert!(!seen(&["data: {\"choices\":[{\"delta\":{},\"finish_reason\":null}]}\n\n"]).is_complete());
        assert!(seen(&["data: {\"choices\":[{\"delta\":{},\"finish_reason\": \"stop\"}]}\n\n"]).finished);
        assert!(seen(&["data: [DONE]\n\n"]).done);
        assert!(seen(&["data: [DONE]"]).done, "without its blank line too");
    }

    #[test]
    fn text_about_the_end_is_not_the_end() {
        let seen =
            seen(&[r#"data: {"choices":[{"delta":{"content":"[DONE] \"finish_reason\":\"stop\""}}]}"#]);
        assert!(!seen.is_complete());
    }

    #[test]
    fn usage_is_read_from_either_place() {
        let plain =
            seen(&["data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n"]);
        assert_eq!(plain.usage.map(|usage| usage.total()), Some(7));
        let groq =
            seen(&["data: {\"x_groq\":{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}}\n\n"]);
        assert_eq!(groq.usage.map(|usage| usage.total()), Some(2));
    }

    #[test]
    fn an_error_inside_a_stream_is_seen() {
        let shown = seen(&["data: {\"error\":{\"message\":\"boom\",\"code\":429}}\n\n"]);
        let error = shown.error.expect("an error");
        assert_eq!(
            (error.class, error.message.as_deref()),
            (crate::fault::FaultClass::RateLimited, Some("boom"))
        );
        let stray = seen(&["error: {\"error\":{\"message\":\"boom\"}}\n\n"]);
        assert!(stray.error.is_some() && !stray.is_error_shown);
        assert!(seen(&["data: {\"error\":null,\"choices\":[]}\n\n"]).error.is_none());
    }

    #[test]
    fn only_the_extra_frame_of_usage_is_one() {
        let usage = r#""usage":{"prompt_tokens":1,"completion_tokens":1}"#;
        assert!(is_usage_only(format!("data: {{\"choices\": [ ],{usage}}}\n\n").as_bytes()));
        for other in [
            format!("data: {{\"choices\":[{{\"finish_reason\":\"stop\"}}],{usage}}}\n\n"),
            format!("data: {{\"choices\":[],\"error\":{{}},{usage}}}\n\n"),
            format!("data: {{{usage}}}\n\n"),
            "data: {\"choices\":[],\"usage\":null}\n\n".to_owned(),
            "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n".to_owned(),
            "data: [DONE]\n\n".to_owned(),
        ] {
            assert!(!is_usage_only(other.as_bytes()), "{other}");
        }
    }
}
