//! Vectors: each client before each provider, and what goes wrong on the way.

use catalogue::EmbeddingDialect::{self, GeminiEmbeddings, OpenaiEmbeddings};
use config::OnLoss;
use serde_json::{Value, json};

use crate::cells::{Outcome, exchange};
use crate::harness::{Gateway, LIMITS, NOBODY, delivery, logged, mock, model};
use crate::upstream::{Exchange, Upstream};

const OPENAI: &str = "/v1/embeddings";
const ONE: &str = "/v1beta/models/any:embedContent";
const BATCH: &str = "/v1beta/models/any:batchEmbedContents";

/// `[0.5,-1.25,300]`, four bytes a number.
const BASE64: &str = "AAAAPwAAoL8AAJZD";

pub(crate) fn embeds(model: &mut config::Model, at: usize, dialect: Option<EmbeddingDialect>) {
    if let config::Upstream::Http(http) = &mut model.deployments[at].upstream {
        http.embeds = dialect;
    }
}

/// A gateway whose model `any` has its vectors from a provider that speaks `dialect`.
async fn before(dialect: EmbeddingDialect) -> (Gateway, Upstream) {
    let upstream = Upstream::start().await;
    let mut any = model("any", &[&upstream.url()]);
    embeds(&mut any, 0, Some(dialect));
    (Gateway::start(vec![any]).await, upstream)
}

fn told(outcome: &Outcome) -> Value {
    assert_eq!(outcome.status, 200, "{}", outcome.text);
    assert_eq!(outcome.headers["content-type"], "application/json");
    serde_json::from_str(&outcome.text).expect("JSON")
}

fn sent(outcome: &Outcome) -> Value {
    serde_json::from_slice(&outcome.body).expect("JSON to the provider")
}

async fn line_of(headers: &reqwest::header::HeaderMap) -> Value {
    logged(headers["x-fairlead-request-id"].to_str().expect("text")).await
}

fn google(text: &str) -> Value {
    json!({"content": {"parts": [{"text": text}]}})
}

#[tokio::test]
async fn a_relay_changes_the_name_alone_in_both_directions() {
    // Spacing and spelling that no encoder here would write.
    let openai = r#"{ "model":"any","input" :[ "a" ],"dimensions":3e0 }"#;
    let one = r#"{ "content":{"parts":[{"text":"a"}]},"model":"models/any" }"#;
    let batch =
        r#"{ "requests":[ {"content":{"parts":[{"text":"a"}]},"model":"models/any"},{"model":"any"}] }"#;
    for (path, body, dialect, endpoint, old, new) in [
        (OPENAI, openai, OpenaiEmbeddings, "post /v1/embeddings ", "\"any\"", "\"up-model\""),
        ("/embeddings", openai, OpenaiEmbeddings, "post /v1/embeddings ", "\"any\"", "\"up-model\""),
        (
            ONE,
            one,
            GeminiEmbeddings,
            "post /v1/models/up-model:embedcontent ",
            "\"models/any\"",
            "\"models/up-model\"",
        ),
        (
            BATCH,
            batch,
            GeminiEmbeddings,
            "post /v1/models/up-model:batchembedcontents ",
            "\"models/any\"",
            "\"models/up-model\"",
        ),
    ] {
        let (gateway, upstream) = before(dialect).await;
        let answer = r#"{ "data":[],"embeddings":[],"usage":{"prompt_tokens":7},"usageMetadata":{"promptTokenCount":7} }"#;
        let ask = gateway.post(path).body(body).send();
        let (answered, seen) =
            tokio::join!(ask, upstream.answer("200 OK", "x-ratelimit-left: 1\r\n", answer));
        let answered = answered.expect("an answer");
        assert!(seen.head.starts_with(endpoint), "{path}: {}", seen.head);
        let expected =
            body.replace(old, new).replace("{\"model\":\"any\"}", "{\"model\":\"models/up-model\"}");
        assert_eq!(String::from_utf8(seen.body).expect("text"), expected, "{path}");
        let headers = answered.headers().clone();
        assert_eq!(headers["x-ratelimit-left"], "1", "{path}");
        assert!(!headers.contains_key("x-fairlead-estimate"), "{path}");
        assert_eq!(answered.text().await.expect("text"), answer, "{path}");
        assert_eq!(line_of(&headers).await["input_tokens"], 7, "{path}");
    }
}

#[tokio::test]
async fn an_openai_client_gets_vectors_from_gemini() {
    let pair = before(GeminiEmbeddings).await;
    // What OpenAI's own SDKs send.
    let ask =
        json!({"model": "any", "input": ["first", "second"], "encoding_format": "base64", "dimensions": 3});
    let answer = json!({"embeddings": [{"values": [0.5, -1.25, 300]}, {"values": [1, 0, 0]}],
        "usageMetadata": {"promptTokenCount": 6}});
    let outcome = exchange(&pair, OPENAI, &ask, ("200 OK", &answer.to_string())).await;
    assert!(outcome.head.starts_with("post /v1/models/up-model:batchembedcontents "), "{}", outcome.head);
    let one = |text: &str| json!({"model": "models/up-model", "content": google(text)["content"], "outputDimensionality": 3});
    assert_eq!(sent(&outcome), json!({"requests": [one("first"), one("second")]}));
    let expected = json!({"object": "list", "model": "any", "usage": {"prompt_tokens": 6, "total_tokens": 6}, "data": [
        {"object": "embedding", "index": 0, "embedding": BASE64},
        {"object": "embedding", "index": 1, "embedding": "AACAPwAAAAAAAAAA"},
    ]});
    assert_eq!(told(&outcome), expected);
    assert!(
        !outcome.headers.contains_key("x-fairlead-losses")
            && !outcome.headers.contains_key("x-fairlead-estimate")
    );
}

#[tokio::test]
async fn gemini_clients_get_vectors_from_openai() {
    let pair = before(OpenaiEmbeddings).await;
    let answer = json!({"object": "list", "data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}],
        "usage": {"prompt_tokens": 4, "total_tokens": 4}});
    let ask = json!({"requests": [google("first"), google("second")]});
    let outcome = exchange(&pair, BATCH, &ask, ("200 OK", &answer.to_string())).await;
    assert!(outcome.head.starts_with("post /v1/embeddings "), "{}", outcome.head);
    assert_eq!(sent(&outcome), json!({"model": "up-model", "input": ["first", "second"]}));
    let expected =
        json!({"embeddings": [{"values": [1]}, {"values": [2]}], "usageMetadata": {"promptTokenCount": 4}});
    assert_eq!(told(&outcome), expected, "in the order of the inputs");
    let mut ask = google("alone");
    ask["taskType"] = json!("CLUSTERING");
    let answer = json!({"data": [{"embedding": BASE64}], "usage": {"total_tokens": 2}, "id": "e"});
    let outcome = exchange(&pair, ONE, &ask, ("200 OK", &answer.to_string())).await;
    assert_eq!(sent(&outcome), json!({"model": "up-model", "input": "alone"}));
    let expected =
        json!({"embedding": {"values": [0.5, -1.25, 300]}, "usageMetadata": {"promptTokenCount": 2}});
    assert_eq!(told(&outcome), expected);
    assert_eq!(outcome.headers["x-fairlead-losses"], "taskType,answer.id");
    let line = line_of(&outcome.headers).await;
    assert_eq!((&line["input_tokens"], &line["output_tokens"]), (&json!(2), &json!(0)), "{line}");
}

#[tokio::test]
async fn tokens_that_no_provider_tells_are_estimated_and_marked() {
    let pair = before(GeminiEmbeddings).await;
    let ask = json!({"model": "any", "input": "Hello world, how are you today?"});
    let answer = json!({"embeddings": [{"values": [1]}]});
    let outcome = exchange(&pair, OPENAI, &ask, ("200 OK", &answer.to_string())).await;
    assert_eq!(told(&outcome)["usage"], json!({"prompt_tokens": 8, "total_tokens": 8}));
    assert_eq!(outcome.headers["x-fairlead-estimate"], "true");
    assert_eq!(line_of(&outcome.headers).await["input_tokens"], 8);
    // A relay keeps its bytes; the record has the estimate.
    let answer = r#"{ "embedding":{"values":[1]} }"#;
    let outcome = exchange(&pair, ONE, &google("Hello world"), ("200 OK", answer)).await;
    assert_eq!(
        (outcome.text.as_str(), &outcome.headers["x-fairlead-estimate"]),
        (answer, &"true".parse().unwrap())
    );
    assert_eq!(line_of(&outcome.headers).await["input_tokens"], 2);
}

#[tokio::test]
async fn tokens_reach_openai_and_are_refused_before_gemini() {
    let pair = before(OpenaiEmbeddings).await;
    let ask = json!({"model": "any", "input": [[1, 2], [3]]});
    let outcome = exchange(&pair, OPENAI, &ask, ("200 OK", r#"{"data":[]}"#)).await;
    assert_eq!((outcome.status, sent(&outcome)["input"].clone()), (200, json!([[1, 2], [3]])));
    assert_eq!(line_of(&outcome.headers).await["input_tokens"], 3, "one for each number");
    let (first, second) = (NOBODY, Upstream::start().await);
    let mut any = model("any", &[first, &second.url()]);
    embeds(&mut any, 0, Some(GeminiEmbeddings));
    let both = (Gateway::start(vec![any.clone()]).await, second);
    let outcome = exchange(&both, OPENAI, &ask, ("200 OK", r#"{"data":[]}"#)).await;
    assert_eq!(outcome.headers["x-litellm-model-id"], "ai/d1", "it makes way for one that can");
    any.deployments.truncate(1);
    let gateway = Gateway::start(vec![any]).await;
    let answer = gateway.post(OPENAI).body(ask.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&body["error"]["code"], &body["error"]["param"]),
        (&json!("unsupported_parameter"), &json!("input[0]"))
    );
    let why = body["error"]["message"].as_str().expect("a message");
    assert!(why.contains("gemini-embeddings") && why.contains("ai/d0"), "{why}");
}

#[tokio::test]
async fn policies_hold_for_embeddings_too() {
    let mut any = model("any", &[NOBODY]);
    embeds(&mut any, 0, Some(GeminiEmbeddings));
    any.deployments[0].on_loss = OnLoss::Reject;
    let gateway = Gateway::start(vec![any]).await;
    let status = async |ask: Value| {
        gateway.post(OPENAI).body(ask.to_string()).send().await.expect("an answer").status()
    };
    assert_eq!(status(json!({"model": "any", "input": "a", "user": "u"})).await, 400);
    assert_eq!(status(json!({"model": "any", "input": "a"})).await, 502, "it was sent");
}

#[tokio::test]
async fn a_deployment_that_cannot_embed_is_passed_over() {
    let upstream = Upstream::start().await;
    let mut any = model("any", &[NOBODY, &upstream.url()]);
    embeds(&mut any, 0, None);
    let mut none = model("none", &[NOBODY]);
    embeds(&mut none, 0, None);
    let pair = (Gateway::start(vec![any, none]).await, upstream);
    let outcome =
        exchange(&pair, OPENAI, &json!({"model": "any", "input": "a"}), ("200 OK", r#"{"data":[]}"#)).await;
    assert_eq!((outcome.status, &outcome.headers["x-litellm-model-id"]), (200, &"ai/d1".parse().unwrap()));
    let ask = json!({"model": "none", "input": "a"}).to_string();
    let answer = pair.0.post(OPENAI).body(ask).send().await.expect("an answer");
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&body["error"]["code"], &body["error"]["param"]),
        (&json!("model_cannot_embed"), &json!("model"))
    );
    let why = body["error"]["message"].as_str().expect("a message");
    for sign in ["'none'", "ai/d0", "openai", "custom"] {
        assert!(why.contains(sign), "{why}");
    }
    let ask = google("a").to_string();
    let answer = pair.0.post("/v1beta/models/none:embedContent").body(ask).send().await.expect("an answer");
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!(body["error"]["status"], "INVALID_ARGUMENT", "{body}");
}

#[tokio::test]
async fn errors_come_in_the_clients_language() {
    let error = r#"{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}"#;
    let pair = before(GeminiEmbeddings).await;
    let ask = json!({"model": "any", "input": "a"});
    let outcome = exchange(&pair, OPENAI, &ask, ("404 Not Found", error)).await;
    let body: Value = serde_json::from_str(&outcome.text).expect("JSON");
    assert_eq!((outcome.status, &body["error"]["code"]), (404, &json!("upstream_not_found")), "{body}");
    assert!(body["error"]["message"].as_str().is_some_and(|why| why.contains("is not found")), "{body}");
    let outcome = exchange(&pair, ONE, &google("a"), ("404 Not Found", error)).await;
    assert_eq!((outcome.status, outcome.text.as_str()), (404, error), "a relay keeps the provider's words");
    let pair = before(OpenaiEmbeddings).await;
    let error = r#"{"error":{"message":"slow down","type":"x","code":"y"}}"#;
    let outcome = exchange(&pair, BATCH, &json!({"requests": [google("a")]}), ("429 Slow", error)).await;
    let body: Value = serde_json::from_str(&outcome.text).expect("JSON");
    assert_eq!((outcome.status, &body["error"]["status"]), (429, &json!("RESOURCE_EXHAUSTED")), "{body}");
    // Fewer vectors than texts: no answer at all.
    let outcome =
        exchange(&pair, BATCH, &json!({"requests": [google("a")]}), ("200 OK", r#"{"data":[]}"#)).await;
    assert_eq!(outcome.status, 500, "{}", outcome.text);
    assert!(outcome.text.contains("INTERNAL"), "{}", outcome.text);
}

#[tokio::test]
async fn bad_requests_are_refused_with_the_field() {
    let mut any = model("any", &[NOBODY]);
    embeds(&mut any, 0, Some(GeminiEmbeddings));
    let gateway = Gateway::start(vec![any]).await;
    for (path, body, sign) in [
        (OPENAI, json!({"input": "a"}), "set \\\"model\\\""),
        (OPENAI, json!({"model": "any"}), "input: is missing"),
        (OPENAI, json!({"model": "any", "input": []}), "input: is an empty list"),
        (BATCH, json!({"requests": [{"model": "models/other"}]}), "requests[0].model names another model"),
        (BATCH, json!([]), "not a JSON object"),
    ] {
        let answer = gateway.post(path).body(body.to_string()).send().await.expect("an answer");
        assert_eq!(answer.status(), 400, "{body}");
        let text = answer.text().await.expect("text");
        assert!(text.contains(sign), "{body}: {text}");
    }
    let lost = gateway.post("/v1beta/models/any:embed").body("{}").send().await.expect("an answer");
    assert_eq!(lost.status(), 404);
    assert!(lost.text().await.expect("text").contains(":batchEmbedContents"));
}

/// How many texts a call has, and its first one.
fn part(seen: &Exchange) -> (usize, String) {
    let body: Value = serde_json::from_slice(&seen.body).expect("JSON");
    let requests = body["requests"].as_array().expect("a list");
    (requests.len(), requests[0]["content"]["parts"][0]["text"].as_str().expect("a text").to_owned())
}

fn many() -> Value {
    let texts: Vec<_> = (0..250).map(|at| at.to_string()).collect();
    json!({"model": "any", "input": texts})
}

async fn send(exchange: &mut Exchange, status: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    exchange.send(head.as_bytes()).await;
}

#[tokio::test]
async fn more_texts_than_gemini_takes_are_several_calls_and_one_answer() {
    let upstream = Upstream::start().await;
    let mut any = model("any", &[&upstream.url()]);
    embeds(&mut any, 0, Some(GeminiEmbeddings));
    let mut roomy = delivery("r2", vec![any]);
    roomy.config.settings.limits.answer_bytes = 8 << 20;
    let gateway = Gateway::start(Vec::new()).await;
    gateway.deliver(roomy);
    gateway.wait_for("r2").await;
    let provider = async {
        let mut calls = Vec::new();
        for _ in 0..3 {
            calls.push(upstream.next().await);
        }
        // The last that came is the first to be answered.
        while let Some(mut call) = calls.pop() {
            let (count, first) = part(&call);
            let first: usize = first.parse().expect("a number");
            // As long as real ones: more than a megabyte in all.
            let vector = |at: usize| [vec![at], vec![7; 3071]].concat();
            let vectors: Vec<_> = (first..first + count).map(|at| json!({"values": vector(at)})).collect();
            let answer = json!({"embeddings": vectors, "usageMetadata": {"promptTokenCount": count}});
            send(&mut call, "200 OK", &answer.to_string()).await;
        }
    };
    let (answered, ()) = tokio::join!(gateway.post(OPENAI).body(many().to_string()).send(), provider);
    let answered = answered.expect("an answer");
    let line = line_of(answered.headers()).await;
    let body: Value = answered.json().await.expect("JSON");
    let order: Vec<_> =
        body["data"].as_array().expect("a list").iter().map(|one| one["embedding"][0].clone()).collect();
    assert_eq!(json!(order), json!((0..250).collect::<Vec<_>>()));
    assert_eq!(body["data"][249]["embedding"].as_array().map(Vec::len), Some(3072));
    assert_eq!((&body["usage"]["total_tokens"], &line["attempts"]), (&json!(250), &json!(1)), "{line}");
}

#[tokio::test]
async fn the_limit_for_an_answer_holds_for_all_its_calls_together() {
    let (gateway, upstream) = before(GeminiEmbeddings).await;
    let provider = async {
        for _ in 0..2 {
            let mut call = upstream.next().await;
            let (count, _) = part(&call);
            let mut answer = json!({"embeddings": vec![json!({"values": [1]}); count]});
            answer["padding"] =
                json!("x".repeat(usize::try_from(LIMITS.answer_bytes * 2 / 3).expect("fits")));
            send(&mut call, "200 OK", &answer.to_string()).await;
        }
    };
    let (answered, ()) = tokio::join!(gateway.post(OPENAI).body(many().to_string()).send(), provider);
    let answered = answered.expect("an answer");
    assert_eq!(answered.status(), 502);
    let text = answered.text().await.expect("text");
    assert!(text.contains("131072 bytes; limits.maxAnswerBytes"), "{text}");
}

#[tokio::test]
async fn one_failed_part_moves_the_whole_request_to_the_next_deployment() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let mut any = model("any", &[&first.url(), &second.url()]);
    embeds(&mut any, 0, Some(GeminiEmbeddings));
    let gateway = Gateway::start(vec![any]).await;
    let providers = async {
        let mut calls = [first.next().await, first.next().await, first.next().await];
        send(&mut calls[1], "429 Slow", r#"{"error":{"code":429,"message":"quota"}}"#).await;
        for call in [0, 2] {
            calls[call].closed().await;
        }
        second.answer("200 OK", "", r#"{"data":[]}"#).await
    };
    let (answered, seen) = tokio::join!(gateway.post(OPENAI).body(many().to_string()).send(), providers);
    let answered = answered.expect("an answer");
    assert_eq!(
        (answered.status().as_u16(), &answered.headers()["x-litellm-model-id"]),
        (200, &"ai/d1".parse().unwrap())
    );
    let body: Value = serde_json::from_slice(&seen.body).expect("JSON");
    assert_eq!(body["input"].as_array().map(Vec::len), Some(250));
}

#[tokio::test]
async fn the_mock_makes_the_same_vector_of_the_same_text_in_every_form() {
    let gateway = Gateway::start(vec![mock("any")]).await;
    let ask = async |path: &str, body: Value| -> Value {
        let answer = gateway.post(path).body(body.to_string()).send().await.expect("an answer");
        assert!(!answer.headers().contains_key("x-fairlead-estimate"));
        answer.json().await.expect("JSON")
    };
    let openai = ask(OPENAI, json!({"model": "any", "input": ["a", "b", "a"], "stream": true})).await;
    let vector = |at: usize| openai["data"][at]["embedding"].clone();
    let numbers: Vec<f64> = vector(0).as_array().expect("a list").iter().filter_map(Value::as_f64).collect();
    assert_eq!(numbers.len(), 8);
    let mut distinct = numbers.clone();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    assert_eq!(distinct.len(), 8, "they point somewhere: {numbers:?}");
    assert!((numbers.iter().map(|number| number * number).sum::<f64>() - 1.0).abs() < 1e-5, "{numbers:?}");
    assert_eq!(vector(0), vector(2));
    assert_ne!(vector(0), vector(1));
    assert_eq!(openai["usage"]["prompt_tokens"], 12);
    assert_eq!(ask(ONE, google("a")).await["embedding"]["values"], vector(0));
    assert_eq!(ask(BATCH, json!({"requests": [google("b")]})).await["embeddings"][0]["values"], vector(1));
    let sized =
        ask(OPENAI, json!({"model": "any", "input": "a", "dimensions": 3, "encoding_format": "base64"}))
            .await;
    assert_eq!(sized["data"][0]["embedding"].as_str().map(str::len), Some(16), "{sized}");
    let odd = ask(OPENAI, json!({"model": "any", "input": "a", "dimensions": 0})).await;
    assert!(odd["error"]["message"].as_str().is_some_and(|why| why.contains("1 to 4096")), "{odd}");
}
