//! Each client language before each provider language: words and tools, whole and as streams, and the way of a
//! tool's result. No cell is empty.

use catalogue::Dialect;
use serde_json::Value;

use crate::harness::{Gateway, logged, model};
use crate::speakers::{ALL, Heard, QUESTION, RESULT, SYSTEM, Said, Speaker, TOOL, USAGE, WORDS, arguments};
use crate::upstream::Upstream;

/// What came out at both ends of one exchange.
pub(crate) struct Outcome {
    /// What the provider got: the request's head and body.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

/// A gateway whose model `any` is served by a provider that speaks `provider`.
pub(crate) async fn before(provider: Dialect) -> (Gateway, Upstream) {
    let upstream = Upstream::start().await;
    let mut any = model("any", &[&upstream.url()]);
    speaks(&mut any, &[provider]);
    (Gateway::start(vec![any]).await, upstream)
}

/// All deployments of `model` speak `dialects`.
pub(crate) fn speaks(model: &mut config::Model, dialects: &[Dialect]) {
    for deployment in &mut model.deployments {
        if let config::Upstream::Http(http) = &mut deployment.upstream {
            http.dialects = dialects.to_vec();
        }
    }
}

/// Sends `ask` to `path` and has the provider answer with `status` and `answer`.
pub(crate) async fn exchange(
    (gateway, upstream): &(Gateway, Upstream),
    path: &str,
    ask: &Value,
    (status, answer): (&str, &str),
) -> Outcome {
    let request = gateway.post(path).body(ask.to_string()).send();
    let (answered, seen) = tokio::join!(request, upstream.answer(status, "", answer));
    let answered = answered.expect("an answer");
    let (status, headers) = (answered.status().as_u16(), answered.headers().clone());
    let text = answered.text().await.expect("a clean end");
    Outcome { head: seen.head, body: seen.body, status, headers, text }
}

async fn asked(
    client: &Speaker,
    provider: &Speaker,
    ask: Value,
    stream: bool,
    answer: String,
) -> (Heard, String) {
    let cell = format!("{} to {}", client.dialect.name(), provider.dialect.name());
    let pair = before(provider.dialect).await;
    let outcome = exchange(&pair, (client.path)(stream), &ask, ("200 OK", &answer)).await;
    assert_eq!(outcome.status, 200, "{cell}: {}", outcome.text);
    let kind = if stream { "text/event-stream" } else { "application/json" };
    assert_eq!(outcome.headers["content-type"], kind, "{cell}");
    assert!(outcome.head.starts_with((provider.endpoint)(stream)), "{cell}: {}", outcome.head);
    let line = logged(outcome.headers["x-fairlead-request-id"].to_str().expect("text")).await;
    let counted = (line["input_tokens"].as_u64(), line["output_tokens"].as_u64());
    assert_eq!(counted, (Some(USAGE.0), Some(USAGE.1)), "{cell}: {line}");
    assert_eq!(line["outcome"], "answered", "{cell}: {line}");
    let body: Value = serde_json::from_slice(&outcome.body).expect("JSON to the provider");
    let wants_stream = body["stream"].as_bool().unwrap_or(false);
    assert_eq!(wants_stream, stream && provider.dialect != Dialect::Gemini, "{cell}: {body}");
    ((provider.heard)(&body), outcome.text)
}

/// What the provider hears: all that both can say.
fn question(client: &Speaker, provider: &Speaker) -> Heard {
    Heard {
        system: if client.converses { SYSTEM } else { "" }.to_owned(),
        question: QUESTION.to_owned(),
        tools: if client.may_call(provider) { vec![TOOL.to_owned()] } else { Vec::new() },
        ..Heard::default()
    }
}

/// A question with a tool, or about one, before a provider who cannot be asked it: nothing is sent, and the client is
/// told by one of `names`.
async fn refused(client: &Speaker, provider: &Speaker, ask: Value, names: &[&str]) {
    let cell = format!("{} to {}", client.dialect.name(), provider.dialect.name());
    let (gateway, _upstream) = before(provider.dialect).await;
    let answer = gateway.post((client.path)(false)).body(ask.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 400, "{cell}");
    let body: Value = answer.json().await.expect("JSON");
    let why = (client.error)(&body).unwrap_or_else(|| panic!("{cell}: {body}"));
    assert!(names.iter().any(|name| why.contains(name)), "{cell}: {why}");
    assert!(why.contains(provider.dialect.name()), "{cell}: {why}");
}

/// What completions are asked with tools is relayed to their like, who may judge it.
async fn relayed_with_tools(client: &Speaker) {
    let pair = before(client.dialect).await;
    let answer = (client.answer)().to_string();
    let outcome = exchange(&pair, (client.path)(false), &(client.follow_up)(), ("200 OK", &answer)).await;
    assert_eq!((outcome.status, outcome.text), (200, answer));
    assert!(String::from_utf8_lossy(&outcome.body).contains(TOOL));
}

fn words() -> Said {
    Said { text: WORDS.to_owned(), call: None, usage: Some(USAGE) }
}

fn call() -> Option<(String, Value)> {
    Some((TOOL.to_owned(), arguments()))
}

/// Runs `check` for each cell.
macro_rules! each_cell {
    ($client:ident, $provider:ident, $check:block) => {
        for $client in ALL {
            for $provider in ALL {
                println!("{} to {}", $client.dialect.name(), $provider.dialect.name());
                $check
            }
        }
    };
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn words_pass_whole() {
    each_cell!(client, provider, {
        let answer = (provider.answer)().to_string();
        let ask = client.ask_of(provider, false);
        let (heard, text) = asked(client, provider, ask, false, answer).await;
        assert_eq!(heard, question(client, provider));
        assert_eq!((client.said)(&json(&text)), words());
    });
}

#[tokio::test]
async fn words_pass_as_a_stream() {
    each_cell!(client, provider, {
        let ask = client.ask_of(provider, true);
        let (heard, text) = asked(client, provider, ask, true, (provider.stream)()).await;
        assert_eq!(heard, question(client, provider));
        assert_eq!((client.streamed)(&text), words());
    });
}

#[tokio::test]
async fn calls_pass_whole() {
    each_cell!(client, provider, {
        if client.converses && !provider.converses {
            refused(client, provider, (client.ask)(false), &["tools"]).await;
            continue;
        }
        let answer = (provider.tool_answer)().to_string();
        let (_, text) = asked(client, provider, (client.ask)(false), false, answer).await;
        // A call that was not asked for, to a client who cannot read one, is no text either.
        let expected = if client.converses { call() } else { None };
        let said = (client.said)(&json(&text));
        assert_eq!((said.call, said.text), (expected, String::new()));
    });
}

#[tokio::test]
async fn calls_pass_as_a_stream() {
    each_cell!(client, provider, {
        if client.converses && !provider.converses {
            refused(client, provider, (client.ask)(true), &["tools"]).await;
            continue;
        }
        let (_, text) = asked(client, provider, (client.ask)(true), true, (provider.tool_stream)()).await;
        let expected = if client.converses { call() } else { None };
        let said = (client.streamed)(&text);
        assert_eq!((said.call, said.text), (expected, String::new()));
    });
}

#[tokio::test]
async fn a_tools_result_reaches_the_model_with_its_call() {
    each_cell!(client, provider, {
        match (client.converses, provider.converses) {
            (true, true) => {
                let answer = (provider.answer)().to_string();
                let (heard, _) = asked(client, provider, (client.follow_up)(), false, answer).await;
                let expected =
                    Heard { call: call(), result: Some(RESULT.to_owned()), ..question(client, provider) };
                assert_eq!(heard, expected);
            }
            (false, false) => relayed_with_tools(client).await,
            (true, false) => {
                let turns = ["messages[", "input[", "contents["];
                refused(client, provider, (client.follow_up)(), &turns).await;
            }
            (false, true) => refused(client, provider, (client.follow_up)(), &["tools"]).await,
        }
    });
}
