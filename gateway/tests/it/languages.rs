//! Faults come in the client's language, whichever the provider speaks and whenever they come.

use catalogue::Dialect;
use serde_json::{Value, json};

use crate::cells::{before, exchange};
use crate::harness::{Gateway, NOBODY, logged, mock, model};
use crate::speakers::{ALL, Speaker, speaker};

#[tokio::test]
async fn the_gateways_own_refusals_are_in_the_clients_language() {
    let gateway = Gateway::start(vec![mock("any"), model("gone", &[NOBODY])]).await;
    for speaker in ALL {
        for (name, body, status) in
            [("any", "[]", 400), ("any", r#"{"a":1,"a":2}"#, 400), ("nope", "", 404), ("gone", "", 502)]
        {
            let ask = (speaker.ask)(false).to_string().replace("\"any\"", &format!("\"{name}\""));
            let path = (speaker.path)(false).replace("any", name);
            let body = if body.is_empty() { ask } else { body.to_owned() };
            let answer = gateway.post(&path).body(body).send().await.expect("an answer");
            // Google has no 502.
            let status = if status == 502 && speaker.dialect == Dialect::Gemini { 503 } else { status };
            assert_eq!(answer.status(), status, "{path}");
            let body: Value = answer.json().await.expect("JSON");
            assert!((speaker.error)(&body).is_some_and(|why| !why.is_empty()), "{body}");
            let code = &body["error"]["code"];
            assert!(!code.is_u64() || *code == status, "the body's status is the answer's: {body}");
        }
    }
}

/// An error of `speaker` that says `message`.
fn error_of(speaker: &Speaker, message: &str) -> Value {
    match speaker.dialect {
        Dialect::OpenaiChat | Dialect::OpenaiResponses | Dialect::OpenaiCompletions => {
            json!({"error": {"message": message, "type": "server_error", "param": null, "code": null}})
        }
        Dialect::Anthropic => {
            json!({"type": "error", "error": {"type": "overloaded_error", "message": message}})
        }
        Dialect::Gemini => json!({"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}}),
    }
}

#[tokio::test]
async fn a_providers_error_is_relayed_in_its_own_language_and_retold_in_others() {
    for client in ALL {
        for provider in ALL {
            let cell = format!("{} to {}", client.dialect.name(), provider.dialect.name());
            let error = error_of(provider, "too busy").to_string();
            for (status, told) in [("429 Slow", 429), ("400 Bad", 400), ("529 Busy", 500)] {
                let pair = before(provider.dialect).await;
                let ask = client.ask_of(provider, false);
                let outcome = exchange(&pair, (client.path)(false), &ask, (status, &error)).await;
                let is_relay = client.dialect == provider.dialect;
                let theirs = status.split(' ').next().and_then(|status| status.parse().ok());
                // Of the provider's own numbers only the kind remains: 500 or 502.
                let seen = if told == 500 && !is_relay { outcome.status / 100 * 100 } else { outcome.status };
                assert_eq!(
                    Some(seen),
                    if is_relay { theirs } else { Some(told) },
                    "{cell}: {}",
                    outcome.text
                );
                if is_relay {
                    assert_eq!(outcome.text, error, "{cell}");
                } else {
                    let body: Value = serde_json::from_str(&outcome.text).expect("JSON");
                    let why = (client.error)(&body).unwrap_or_else(|| panic!("{cell}: {body}"));
                    assert!(why.contains("too busy") && why.contains("ai/d0"), "{cell}: {why}");
                }
            }
        }
    }
}

/// The stream up to the middle of its words: nothing that says how it ends.
fn beginning(speaker: &Speaker) -> String {
    let whole = (speaker.stream)();
    let frames: Vec<_> = whole.split_inclusive("\n\n").collect();
    let words = frames.iter().position(|frame| frame.contains("\"Sun\"")).expect("words");
    frames[..=words].concat()
}

fn error_event(speaker: &Speaker, message: &str) -> String {
    match speaker.dialect {
        Dialect::OpenaiResponses => {
            let event = json!({"type": "error", "code": "server_error", "message": message, "param": null, "sequence_number": 9});
            format!("event: error\ndata: {event}\n\n")
        }
        Dialect::Anthropic => format!("event: error\ndata: {}\n\n", error_of(speaker, message)),
        _ => format!("data: {}\n\n", error_of(speaker, message)),
    }
}

#[tokio::test]
async fn an_error_inside_a_stream_ends_it_in_the_clients_language() {
    for client in ALL {
        for provider in ALL {
            let cell = format!("{} to {}", client.dialect.name(), provider.dialect.name());
            let stream = beginning(provider) + &error_event(provider, "too busy");
            let pair = before(provider.dialect).await;
            let ask = client.ask_of(provider, true);
            let outcome = exchange(&pair, (client.path)(true), &ask, ("200 OK", &stream)).await;
            assert!(outcome.text.contains("Sun"), "{cell}: {}", outcome.text);
            assert_eq!(
                (client.stream_error)(&outcome.text).as_deref(),
                Some("too busy"),
                "{cell}: {}",
                outcome.text
            );
            let line = logged(outcome.headers["x-fairlead-request-id"].to_str().expect("text")).await;
            assert_eq!(line["outcome"], "stream_cut", "{cell}: {line}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_ends_with_an_error_in_the_clients_language() {
    for client in ALL {
        for provider in ALL {
            let cell = format!("{} to {}", client.dialect.name(), provider.dialect.name());
            let stream = beginning(provider) + "data: {\"half";
            let pair = before(provider.dialect).await;
            let ask = client.ask_of(provider, true);
            let outcome = exchange(&pair, (client.path)(true), &ask, ("200 OK", &stream)).await;
            assert!((client.stream_error)(&outcome.text).is_some(), "{cell}: {}", outcome.text);
            assert!(!outcome.text.contains("half"), "{cell}: {}", outcome.text);
            let line = logged(outcome.headers["x-fairlead-request-id"].to_str().expect("text")).await;
            assert_eq!(
                (&line["outcome"], &line["fault"]),
                (&json!("stream_cut"), &json!("garbled")),
                "{cell}"
            );
        }
    }
}

#[tokio::test]
async fn an_error_as_the_first_event_is_an_answer_with_a_status() {
    for client in ALL {
        for provider in ALL {
            let cell = format!("{} to {}", client.dialect.name(), provider.dialect.name());
            let pair = before(provider.dialect).await;
            let event = error_event(provider, "too busy");
            let ask = client.ask_of(provider, true);
            let outcome = exchange(&pair, (client.path)(true), &ask, ("200 OK", &event)).await;
            assert!(outcome.status >= 500, "{cell}: {} {}", outcome.status, outcome.text);
            let body: Value = serde_json::from_str(&outcome.text).expect("JSON");
            assert!(body.to_string().contains("too busy"), "{cell}: {body}");
        }
    }
}

#[tokio::test]
async fn the_mock_speaks_every_language() {
    let gateway = Gateway::start(vec![mock("any")]).await;
    for speaker in ALL {
        let whole = gateway.post((speaker.path)(false)).body((speaker.ask)(false).to_string()).send();
        let whole: Value = whole.await.expect("an answer").json().await.expect("JSON");
        let said = (speaker.said)(&whole);
        assert!(said.text.starts_with("Hello from the mock provider of Fairlead: "), "{whole}");
        assert_eq!(said.usage, Some((9, 24)), "{whole}");
        let stream = gateway.post((speaker.path)(true)).body((speaker.ask)(true).to_string()).send();
        let stream = stream.await.expect("an answer").text().await.expect("a stream");
        assert_eq!((speaker.streamed)(&stream), said, "{stream}");
    }
}

#[tokio::test]
async fn an_answer_in_no_language_is_a_bad_gateway() {
    for client in ALL {
        let pair = before(speaker(Dialect::Anthropic).dialect).await;
        let outcome = exchange(&pair, (client.path)(false), &(client.ask)(false), ("200 OK", "<html>")).await;
        let is_google = client.dialect == Dialect::Gemini;
        assert_eq!(outcome.status, if is_google { 500 } else { 502 });
        let body: Value = serde_json::from_str(&outcome.text).expect("JSON");
        assert!((client.error)(&body).is_some(), "{body}");
    }
}
