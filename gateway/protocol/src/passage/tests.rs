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

#[test]
fn a_relayed_response_that_ends_early_is_not_begun_again() {
    let passage = Passage::relay(Dialect::OpenaiResponses, ECHO(), UsageFrame::Passed);
    let created = "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"status\":\"in_progress\",\"output\":[]}}\n\n";
    let (text, _, is_whole) = passed(passage, &[created], clean());
    let error = text.strip_prefix(created).expect("the same first");
    assert!(
        !is_whole && error.starts_with("event: error\ndata: {\"type\":\"error\",\"sequence_number\":1,"),
        "{error}"
    );
    assert_eq!(error.matches("event: ").count(), 1, "{error}");
}

#[test]
fn a_translation_is_gathered_told_once_and_ends_in_the_clients_form() {
    let mut passage = Passage::translation(Dialect::OpenaiChat, Dialect::Anthropic, ECHO());
    for frame in [TEXT, STOP, USAGE, DONE] {
        passage.frame(Bytes::from_static(frame.as_bytes()));
        assert!(passage.gathers());
    }
    assert!(passage.end(clean()).is_ok());
    let text = String::from_utf8(passage.flush().to_vec()).expect("text");
    assert!(text.starts_with("event: message_start\n") && text.contains("message_stop"), "{text}");
    assert_eq!(text.matches("\"Hi\"").count(), 1, "{text}");
    assert_eq!(passage.seen().usage.map(|usage| usage.total()), Some(7));
}

#[test]
fn a_translation_that_breaks_tells_why_unless_the_answer_was_whole() {
    let broken = || Ending::Broken(FaultClass::Timeout, "too late".into());
    let way = || Passage::translation(Dialect::OpenaiChat, Dialect::Anthropic, ECHO());
    let (text, _, is_whole) = passed(way(), &[TEXT], broken());
    assert!(!is_whole && text.contains("too late") && !text.contains("message_stop"), "{text}");
    let (text, _, is_whole) = passed(way(), &[TEXT, STOP, USAGE, DONE], broken());
    assert!(is_whole && text.contains("message_stop"), "{text}");
}

#[test]
fn a_provider_that_quotes_our_key_in_a_stream_is_not_quoted() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"bad key sk-ours\"}}\n\n";
    let passage = Passage::translation(Dialect::Anthropic, Dialect::OpenaiChat, ECHO());
    let (text, _, is_whole) = passed(passage, &[error], clean());
    assert!(!is_whole && text.contains("credential") && !text.contains("sk-ours"), "{text}");
}

#[test]
fn an_error_where_clients_do_not_look_is_told_where_they_do() {
    let passage = Passage::translation(Dialect::OpenaiChat, Dialect::Anthropic, ECHO());
    let (text, _, is_whole) =
        passed(passage, &[TEXT, "error: {\"error\":{\"message\":\"no memory\"}}\n\n"], clean());
    assert!(!is_whole && text.contains("no memory"), "{text}");
}

#[test]
fn a_stream_counts_what_the_client_could_not_be_told() {
    let odd = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":{\"content\":[]},\"finish_reason\":\"odd\"}]}\n\n";
    let way = || Passage::translation(Dialect::OpenaiChat, Dialect::Anthropic, ECHO());
    let told = |passage: &Passage| passage.losses().iter().map(|loss| loss.field.clone()).collect::<Vec<_>>();
    let (_, passage, _) = passed(way(), &[TEXT, odd, DONE], clean());
    assert_eq!(told(&passage), ["choices.logprobs", "finish_reason"]);
    let (_, passage, _) = passed(way(), &[TEXT, STOP, DONE], clean());
    assert_eq!(told(&passage), Vec::<String>::new());
    let (_, passage, _) = passed(chat(UsageFrame::Passed), &[TEXT, odd, DONE], clean());
    assert_eq!(told(&passage), Vec::<String>::new(), "a relay loses nothing");
}
