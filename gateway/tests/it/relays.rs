//! The same language on both sides means the same bytes, in each language.

use catalogue::Dialect;
use serde_json::Value;

use crate::cells::{before, speaks};
use crate::harness::{Gateway, logged, model};
use crate::speakers::{ALL, Speaker, speaker};
use crate::upstream::Upstream;

/// Odd spacing, numbers and fields, so that any rewriting shows.
fn odd(ask: &Value) -> String {
    let text = ask.to_string();
    format!("{{ \"x_odd\" : [1.50e0 , \"é\\u00e9\"],\n {}", text.strip_prefix('{').expect("an object"))
}

/// A request whose answer nobody is to keep: what counts on being kept is told the truth, and gets other bytes for it.
fn passing(speaker: &Speaker, stream: bool) -> Value {
    let mut ask = (speaker.ask)(stream);
    if speaker.dialect == Dialect::OpenaiResponses {
        ask["store"] = Value::Bool(false);
    }
    ask
}

#[tokio::test]
async fn bodies_and_answers_are_the_same_bytes_but_for_the_model() {
    for speaker in ALL {
        let pair = before(speaker.dialect).await;
        let (gateway, upstream) = (&pair.0, &pair.1);
        let body = odd(&passing(speaker, false));
        let answer = odd(&(speaker.answer)());
        let headers = "x-ratelimit-remaining-requests: 5\r\nanthropic-ratelimit-tokens-remaining: 6\r\nretry-after: 7\r\nset-cookie: a=b\r\n";
        let ask = gateway.post((speaker.path)(false)).body(body.clone()).send();
        let (answered, seen) = tokio::join!(ask, upstream.answer("200 OK", headers, &answer));
        let answered = answered.expect("an answer");
        let head = answered.headers().clone();
        assert_eq!(answered.text().await.expect("text"), answer, "{}", speaker.dialect.name());
        assert_eq!(String::from_utf8(seen.body).expect("text"), body.replace("\"any\"", "\"up-model\""));
        for (name, value) in [
            ("x-ratelimit-remaining-requests", "5"),
            ("anthropic-ratelimit-tokens-remaining", "6"),
            ("retry-after", "7"),
        ] {
            assert_eq!(head[name], value);
        }
        assert!(!head.contains_key("set-cookie") && !head.contains_key("x-fairlead-losses"));
    }
}

#[tokio::test]
async fn streams_are_the_same_bytes_under_any_chunking() {
    for speaker in ALL {
        let stream = format!(": hello\n\n{}", (speaker.stream)().replace("\n\n", "\r\n\r\n"));
        for size in [1, 7, 10_000] {
            let pair = before(speaker.dialect).await;
            let ask = pair.0.post((speaker.path)(true)).body(passing(speaker, true).to_string()).send();
            let play = async {
                let mut exchange = pair.1.next().await;
                exchange.begin_chunked().await;
                for chunk in stream.as_bytes().chunks(size) {
                    exchange.chunk(chunk).await;
                }
                exchange.chunk(b"").await;
            };
            let (answered, ()) = tokio::join!(ask, play);
            let text = answered.expect("an answer").text().await.expect("a clean end");
            assert_eq!(text, stream, "{} in chunks of {size}", speaker.dialect.name());
        }
    }
}

#[tokio::test]
async fn usage_is_asked_for_where_the_client_did_not_and_kept_from_it() {
    let chat = speaker(Dialect::OpenaiChat);
    let (gateway, upstream) = before(Dialect::OpenaiChat).await;
    let body = r#"{"model": "any" ,"stream":true,"messages":[]}"#;
    let stream = (chat.stream)();
    let ask = gateway.chat(body).send();
    let (answered, seen) = tokio::join!(ask, upstream.answer("200 OK", "", &stream));
    let sent = String::from_utf8(seen.body).expect("text");
    assert_eq!(
        sent,
        r#"{"model": "up-model","stream_options":{"include_usage":true} ,"stream":true,"messages":[]}"#
    );
    let answered = answered.expect("an answer");
    let id = answered.headers()["x-fairlead-request-id"].to_str().expect("text").to_owned();
    let text = answered.text().await.expect("a stream");
    assert!(!text.contains("usage") && text.ends_with("data: [DONE]\n\n"), "{text}");
    let line = logged(&id).await;
    assert_eq!(
        (line["input_tokens"].as_u64(), line["output_tokens"].as_u64()),
        (Some(11), Some(5)),
        "{line}"
    );
    for options in ["null", r#"{"include_obfuscation":false}"#] {
        let body = format!(r#"{{"model":"up-model","stream":true,"stream_options":{options}}}"#);
        let ask = gateway.chat(body.replace("up-model", "any")).send();
        let (answered, seen) = tokio::join!(ask, upstream.answer("200 OK", "", &stream));
        assert_eq!(String::from_utf8(seen.body).expect("text"), body, "theirs stays");
        assert_eq!(answered.expect("an answer").text().await.expect("a stream"), stream);
    }
}

#[tokio::test]
async fn a_stream_of_completions_is_asked_for_its_usage_too() {
    let completions = speaker(Dialect::OpenaiCompletions);
    let (gateway, upstream) = before(Dialect::OpenaiCompletions).await;
    let ask = gateway.post("/completions").body(r#"{"model":"any","stream":true,"prompt":["a","b"]}"#).send();
    let stream = (completions.stream)();
    let (answered, seen) = tokio::join!(ask, upstream.answer("200 OK", "", &stream));
    assert_eq!(
        String::from_utf8(seen.body).expect("text"),
        r#"{"model":"up-model","stream_options":{"include_usage":true},"stream":true,"prompt":["a","b"]}"#
    );
    let answered = answered.expect("an answer");
    let id = answered.headers()["x-fairlead-request-id"].to_str().expect("text").to_owned();
    let text = answered.text().await.expect("a stream");
    assert!(!text.contains("usage") && text.ends_with("data: [DONE]\n\n"), "{text}");
    let line = logged(&id).await;
    assert_eq!(
        (line["input_tokens"].as_u64(), line["output_tokens"].as_u64()),
        (Some(11), Some(5)),
        "{line}"
    );
}

#[tokio::test]
async fn anthropics_version_and_betas_go_along_to_anthropic_only() {
    let anthropic = speaker(Dialect::Anthropic);
    let ask = (anthropic.ask)(false).to_string();
    for (provider, headers, version, beta) in [
        (Dialect::Anthropic, vec![], Some("2023-06-01"), None),
        (
            Dialect::Anthropic,
            vec![("anthropic-version", "2024-01-01"), ("anthropic-beta", "a,b")],
            Some("2024-01-01"),
            Some("a,b"),
        ),
        (
            Dialect::OpenaiChat,
            vec![("anthropic-version", "2024-01-01"), ("anthropic-beta", "a,b")],
            None,
            None,
        ),
    ] {
        let (gateway, upstream) = before(provider).await;
        let mut request = gateway.post("/v1/messages").body(ask.clone());
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let answer = (speaker(provider).answer)().to_string();
        let (answered, seen) = tokio::join!(request.send(), upstream.answer("200 OK", "", &answer));
        let found = |name: &str| {
            seen.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
        };
        assert_eq!(
            (found("anthropic-version").as_deref(), found("anthropic-beta").as_deref()),
            (version, beta)
        );
        let told = answered.expect("an answer").headers().get("x-fairlead-losses").cloned();
        let is_lost = told.is_some_and(|told| told.to_str().expect("ASCII").contains("anthropic-beta"));
        assert_eq!(is_lost, provider == Dialect::OpenaiChat);
    }
}

#[tokio::test]
async fn a_translated_question_to_anthropic_names_the_version_unless_the_config_does() {
    let upstream = Upstream::start().await;
    let mut any = model("any", &[&upstream.url()]);
    speaks(&mut any, &[Dialect::Anthropic]);
    if let config::Upstream::Http(http) = &mut any.deployments[0].upstream {
        http.headers.push(config::Header { name: "anthropic-version".into(), value: "2025-05-05".into() });
    }
    let gateway = Gateway::start(vec![any]).await;
    let answer = (speaker(Dialect::Anthropic).answer)().to_string();
    let ask = gateway.chat((ALL[0].ask)(false).to_string()).header("anthropic-beta", "a").send();
    let (answered, seen) = tokio::join!(ask, upstream.answer("200 OK", "", &answer));
    assert_eq!(answered.expect("an answer").status(), 200);
    assert!(seen.head.contains("anthropic-version: 2025-05-05\r\n"), "{}", seen.head);
    assert!(!seen.head.contains("2023-06-01") && !seen.head.contains("anthropic-beta"), "{}", seen.head);
}

#[tokio::test]
async fn gemini_streams_are_lists_unless_events_are_asked_for() {
    let gemini = speaker(Dialect::Gemini);
    for provider in ALL {
        let (gateway, upstream) = before(provider.dialect).await;
        let question = gemini.ask_of(provider, true).to_string();
        let ask = gateway.post("/models/any:streamGenerateContent").body(question).send();
        let stream = (provider.stream)();
        let (answered, _) = tokio::join!(ask, upstream.answer("200 OK", "", &stream));
        let answered = answered.expect("an answer");
        assert_eq!(answered.headers()["content-type"], "application/json");
        let chunks: Vec<Value> = answered.json().await.expect("a list");
        let events: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
        assert_eq!((gemini.streamed)(&events).text, "Sunny.", "{events}");
    }
}

#[tokio::test]
async fn gemini_models_may_have_slashes() {
    let (upstream, gemini) = (Upstream::start().await, speaker(Dialect::Gemini));
    let mut one = model("google/pro", &[&upstream.url()]);
    speaks(&mut one, &[Dialect::Gemini]);
    let gateway = Gateway::start(vec![one]).await;
    for path in [
        "/v1beta/models/google/pro",
        "/v1beta/models/google%2Fpro",
        "/models/google/pro",
        "/v1/models/google/pro",
    ] {
        let ask =
            gateway.post(&format!("{path}:generateContent")).body((gemini.ask)(false).to_string()).send();
        let answer = (gemini.answer)().to_string();
        let (answered, _) = tokio::join!(ask, upstream.answer("200 OK", "", &answer));
        assert_eq!(answered.expect("an answer").status(), 200, "{path}");
    }
}
