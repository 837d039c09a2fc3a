//! How much a provider still allows is told in the client's own headers, with answers and with errors.

use catalogue::{Dialect, EmbeddingDialect};
use reqwest::header::HeaderMap;

use crate::cells::before;
use crate::embeddings::embeds;
use crate::harness::{Gateway, model};
use crate::speakers::{ALL, Speaker, speaker};
use crate::upstream::Upstream;

const OPENAI: &str = "x-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 59\r\nx-ratelimit-reset-requests: 0s\r\n\
                      x-ratelimit-limit-input-images: 8\r\nretry-after: 7\r\nretry-after-ms: 6500\r\n";
const ANTHROPIC: &str = "anthropic-ratelimit-requests-limit: 60\r\nanthropic-ratelimit-requests-remaining: 59\r\n\
                         anthropic-ratelimit-requests-reset: 2020-01-01T00:00:00Z\r\nretry-after: 7\r\nretry-after-ms: 6500\r\n";

/// The headers that `client` gets of `provider`'s, with a good answer and with an error.
async fn got(client: &Speaker, provider: &Speaker, headers: &str, error: &str) -> [HeaderMap; 2] {
    let (gateway, upstream) = before(provider.dialect).await;
    let answer = (provider.answer)().to_string();
    let mut got = [HeaderMap::new(), HeaderMap::new()];
    for (kept, status, body) in [(0, "200 OK", answer.as_str()), (1, "429 Slow", error)] {
        let ask = gateway.post((client.path)(false)).body(client.ask_of(provider, false).to_string()).send();
        let (answered, _) = tokio::join!(ask, upstream.answer(status, headers, body));
        got[kept] = answered.expect("an answer").headers().clone();
    }
    got
}

#[tokio::test]
async fn each_client_reads_its_own_names_and_nobody_elses() {
    for client in ALL {
        for provider in ALL {
            let headers = if provider.dialect == Dialect::Anthropic { ANTHROPIC } else { OPENAI };
            for head in got(client, provider, headers, "{}").await {
                let cell = format!("{} to {}: {head:?}", client.dialect.name(), provider.dialect.name());
                assert_eq!(
                    (&head["retry-after"], &head["retry-after-ms"]),
                    (&"7".parse().unwrap(), &"6500".parse().unwrap()),
                    "{cell}"
                );
                if client.dialect == provider.dialect {
                    continue;
                }
                let names: Vec<_> =
                    head.keys().map(|name| name.as_str()).filter(|name| name.contains("ratelimit")).collect();
                match (client.dialect, provider.dialect) {
                    (Dialect::Gemini, _) | (_, Dialect::Gemini) => assert!(names.is_empty(), "{cell}"),
                    (Dialect::Anthropic, _) => {
                        assert_eq!(head["anthropic-ratelimit-requests-remaining"], "59", "{cell}");
                        let reset = head["anthropic-ratelimit-requests-reset"].to_str().expect("text");
                        assert!(reset.starts_with("20") && reset.ends_with('Z'), "{cell}");
                        assert_eq!(names.len(), 3, "{cell}");
                    }
                    (_, Dialect::Anthropic) => {
                        assert_eq!(head["x-ratelimit-reset-requests"], "0s", "{cell}");
                        assert_eq!(names.len(), 3, "{cell}");
                    }
                    _ => assert_eq!(head["x-ratelimit-limit-input-images"], "8", "{cell}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn what_gemini_says_in_the_body_is_a_header_to_others() {
    let gemini = speaker(Dialect::Gemini);
    let error = r#"{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48.9s"}]}}"#;
    for client in ALL {
        let [good, bad] = got(client, gemini, "", error).await;
        assert!(!good.contains_key("retry-after"));
        let told = bad.get("retry-after").map(|value| value.to_str().expect("text"));
        let wanted = (client.dialect != Dialect::Gemini).then_some("49");
        assert_eq!(told, wanted, "{}", client.dialect.name());
    }
}

#[tokio::test]
async fn clients_that_want_vectors_are_told_in_the_same_words() {
    let upstream = Upstream::start().await;
    let mut any = model("any", &[&upstream.url()]);
    embeds(&mut any, 0, Some(EmbeddingDialect::GeminiEmbeddings));
    let gateway = Gateway::start(vec![any]).await;
    let error = r#"{"error":{"code":429,"message":"quota","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3s"}]}}"#;
    let ask = gateway.post("/v1/embeddings").body(r#"{"model":"any","input":"a"}"#).send();
    let (answered, _) = tokio::join!(ask, upstream.answer("429 Slow", "", error));
    assert_eq!(answered.expect("an answer").headers()["retry-after"], "3");
    let ask = gateway.post("/v1beta/models/any:embedContent").body(r#"{"content":{"parts":[{"text":"a"}]}}"#);
    let (answered, _) = tokio::join!(ask.send(), upstream.answer("429 Slow", OPENAI, error));
    let headers = answered.expect("an answer").headers().clone();
    assert_eq!(headers["retry-after"], "7");
    assert_eq!(headers["x-ratelimit-limit-requests"], "60", "a relay passes what there is");
}
