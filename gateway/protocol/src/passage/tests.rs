//! What a client gets of a stream that ends well, early, or broken.

use super::*;

const ECHO: fn() -> Echo = || Echo { model: "m".into(), id: "0".repeat(32), created: 1, stream_usage: false };

const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

fn passed(mut passage: Passage, frames: &[&'static str], ending: Ending) -> (String, Passage, bool) {
    let mut out = Vec::new();
    for frame in frames {
        passage.frame(Bytes::from_static(frame.as_bytes()));
        out.extend_from_slice(&passage.flush());
    }
    let is_whole = passage.end(ending).is_ok();
    out.extend_from_slice(&passage.flush());
    (String::from_utf8(out).expect("text"), passage, is_whole)
}

fn chat(usage_frame: UsageFrame) -> Passage {
    Passage::relay(Dialect::OpenaiChat, ECHO(), usage_frame)
}

fn clean() -> Ending {
    Ending::Clean(Bytes::new())
}

#[test]
fn a_relay_is_the_same_bytes_but_for_a_usage_frame_that_the_client_did_not_ask_for() {
    let frames = [TEXT, STOP, USAGE, DONE];
    let (text, passage, is_whole) = passed(chat(UsageFrame::Passed), &frames, clean());
    assert_eq!((text, is_whole), (frames.concat(), true));
    assert_eq!(passage.seen().usage.map(|usage| usage.total()), Some(7));
    let (text, passage, _) = passed(chat(UsageFrame::Withheld), &frames, clean());
    assert_eq!(text, [TEXT, STOP, DONE].concat());
    assert_eq!(passage.seen().usage.map(|usage| usage.total()), Some(7), "known all the same");
}

#[test]
fn a_stream_that_ends_early_or_breaks_ends_with_an_error() {
    let half = Bytes::from_static(b"data: {\"choi");
    let (text, _, is_whole) = passed(chat(UsageFrame::Passed), &[TEXT], Ending::Clean(half));
    assert!(!is_whole && text.starts_with(TEXT) && text.contains("upstream_stream_cut"), "{text}");
    assert!(!text.contains("choi\"") && !text.ends_with(DONE), "{text}");
    let late = || Ending::Broken(FaultClass::Timeout, "late".into());
    let (text, _, is_whole) = passed(chat(UsageFrame::Passed), &[TEXT, STOP], late());
    assert!(!is_whole && text.contains("upstream_timeout"), "{text}");
    let (text, _, is_whole) = passed(chat(UsageFrame::Passed), &[TEXT, STOP, DONE], late());
    assert!(is_whole && text.ends_with(DONE), "it had everything: {text}");
}

#[test]
fn a_last_event_without_its_blank_line_is_passed_on() {
    let tail = Ending::Clean(Bytes::from_static(b"data: [DONE]\n"));
    let (text, _, is_whole) = passed(chat(UsageFrame::Passed), &[TEXT], tail);
    assert!(is_whole && text.ends_with("data: [DONE]\n"), "{text}");
}
