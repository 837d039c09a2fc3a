//! What a deployment leaves out of bodies and adds to them, relayed and translated.

use catalogue::Dialect;
use config::{ExtraBody, FieldPath, Parameters};
use serde_json::{Value, json};

use crate::cells::speaks;
use crate::embeddings::embeds;
use crate::harness::{Gateway, model};
use crate::speakers::{ALL, speaker};
use crate::upstream::Upstream;

fn parameters(drop: &[&str], extra: Value) -> Parameters {
    let drop = drop.iter().map(|path| FieldPath::parse(path).expect("a path")).collect();
    let Value::Object(extra) = extra else { panic!("a patch is an object") };
    Parameters { drop, extra_body: ExtraBody::new(extra).expect("nothing of the gateway's own") }
}

/// A gateway whose model `any` is at a provider that speaks `dialect`.
async fn before(dialect: Dialect, parameters: Parameters) -> (Gateway, Upstream) {
    let upstream = Upstream::start().await;
    let mut any = model("any", &[&upstream.url()]);
    speaks(&mut any, &[dialect]);
    any.deployments[0].parameters = parameters;
    (Gateway::start(vec![any]).await, upstream)
}

/// What the provider gets, and what the client is told that was lost.
async fn sent(pair: &(Gateway, Upstream), path: &str, body: String, answer: String) -> (String, String) {
    let (gateway, upstream) = pair;
    let ask = gateway.post(path).body(body).send();
    let (answered, seen) = tokio::join!(ask, upstream.answer("200 OK", "", &answer));
    let answered = answered.expect("an answer");
    assert_eq!(answered.status(), 200);
    let losses =
        answered.headers().get("x-fairlead-losses").map(|told| told.to_str().expect("ASCII").to_owned());
    answered.text().await.expect("a clean end");
    (String::from_utf8(seen.body).expect("text"), losses.unwrap_or_default())
}

#[tokio::test]
async fn a_relayed_body_is_the_same_bytes_but_for_what_is_named() {
    for speaker in ALL {
        let pair =
            before(speaker.dialect, parameters(&["x_odd", "x_deep[*].b"], json!({"x_k": {"v": 2}}))).await;
        let ask = (speaker.ask)(false).to_string();
        let (open, rest) = ask.split_at(1);
        let asked = format!(
            r#"{open} "x_odd" : 1.50e0 ,"x_deep": [{{"a" : 1,"b":2}}, 3],"x_k" : {{ "u":1.0,"v":1 }}, {rest}"#
        );
        let wanted = format!(r#"{open}"x_deep": [{{"a" : 1}}, 3],"x_k" : {{ "u":1.0,"v":2 }}, {rest}"#);
        let (got, _) = sent(&pair, (speaker.path)(false), asked, (speaker.answer)().to_string()).await;
        assert_eq!(got, wanted.replace("\"any\"", "\"up-model\""), "{}", speaker.dialect.name());
    }
}

#[tokio::test]
async fn a_stream_is_still_asked_for_its_usage() {
    let pair = before(Dialect::OpenaiChat, parameters(&["user"], json!({"top_k": 5}))).await;
    let body = r#"{"user":"u","model":"any","stream":true,"messages":[]}"#;
    let stream = (speaker(Dialect::OpenaiChat).stream)();
    let (got, _) = sent(&pair, "/v1/chat/completions", body.to_owned(), stream).await;
    assert_eq!(
        got,
        r#"{"model":"up-model","stream_options":{"include_usage":true},"stream":true,"messages":[],"top_k":5}"#
    );
}

#[tokio::test]
async fn what_is_left_out_is_no_loss_and_the_patch_is_in_the_providers_language() {
    let mut ask = (ALL[0].ask)(false);
    ask["n"] = json!(3);
    ask["stop"] = json!(["END"]);
    let extra = json!({"thinking": {"type": "disabled"}, "top_k": 7, "metadata": {"user_id": "u"}});
    // `n` is named as the client writes it, `stop_sequences` as the provider does.
    let pair = before(Dialect::Anthropic, parameters(&["n", "stop_sequences"], extra.clone())).await;
    let answer = (speaker(Dialect::Anthropic).answer)().to_string();
    let (got, losses) = sent(&pair, "/v1/chat/completions", ask.to_string(), answer).await;
    assert_eq!(losses, "");
    let got: Value = serde_json::from_str(&got).expect("JSON");
    assert!(got.get("stop_sequences").is_none(), "{got}");
    for (name, value) in extra.as_object().expect("an object") {
        assert_eq!(&got[name], value, "{got}");
    }
    assert_eq!((speaker(Dialect::Anthropic).heard)(&got).question, crate::speakers::QUESTION);
}

#[tokio::test]
async fn what_one_deployment_leaves_out_the_next_one_gets() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let mut any = model("any", &[&first.url(), &second.url()]);
    speaks(&mut any, &[Dialect::Gemini]);
    any.deployments[0].parameters = parameters(&["temperature"], json!({"labels": {"a": "b"}}));
    let gateway = Gateway::start(vec![any]).await;
    let mut ask = (ALL[0].ask)(false);
    ask["temperature"] = json!(0.5);
    let answer = (speaker(Dialect::Gemini).answer)().to_string();
    let (answered, failed, served) = tokio::join!(
        gateway.chat(ask.to_string()).send(),
        first.answer("503 Unavailable", "", "{}"),
        second.answer("200 OK", "", &answer)
    );
    assert_eq!(answered.expect("an answer").status(), 200);
    let body = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).expect("JSON") };
    let (failed, served) = (body(&failed.body), body(&served.body));
    let at = "/generationConfig/temperature";
    assert_eq!((failed.pointer(at), &failed["labels"]), (None, &json!({"a": "b"})), "{failed}");
    assert_eq!((served.pointer(at), served.get("labels")), (Some(&json!(0.5)), None), "{served}");
}

#[tokio::test]
async fn bodies_for_vectors_are_changed_too() {
    let ask = r#"{"model":"any","input":["a","b"],"user":"u","dimensions":8}"#.to_owned();
    let vectors = json!({"object": "list", "model": "m", "data": [
        {"object": "embedding", "index": 0, "embedding": [0.5]}, {"object": "embedding", "index": 1, "embedding": [1]}],
        "usage": {"prompt_tokens": 2, "total_tokens": 2}});
    let pair = before(Dialect::OpenaiChat, parameters(&["user"], json!({"truncate": "END"}))).await;
    let (got, _) = sent(&pair, "/v1/embeddings", ask.clone(), vectors.to_string()).await;
    assert_eq!(got, r#"{"model":"up-model","input":["a","b"],"dimensions":8,"truncate":"END"}"#);

    let upstream = Upstream::start().await;
    let mut any = model("any", &[&upstream.url()]);
    any.deployments[0].parameters = parameters(&["user", "dimensions"], json!({}));
    if let config::Upstream::Http(http) = &mut any.deployments[0].upstream {
        http.embeds = Some(catalogue::EmbeddingDialect::GeminiEmbeddings);
    }
    let pair = (Gateway::start(vec![any]).await, upstream);
    let values = json!({"embeddings": [{"values": [0.5]}, {"values": [1.0]}]});
    let (got, losses) = sent(&pair, "/v1/embeddings", ask, values.to_string()).await;
    assert!(!got.contains("outputDimensionality"), "{got}");
    assert!(!losses.contains("user"), "what is left out on purpose is no loss: {losses}");
}

#[tokio::test]
async fn a_batch_for_vectors_is_changed_in_each_of_its_calls() {
    let upstream = Upstream::start().await;
    let mut any = model("any", &[&upstream.url()]);
    embeds(&mut any, 0, Some(catalogue::EmbeddingDialect::GeminiEmbeddings));
    // Another kind of vector would be refused, were it not left out.
    any.deployments[0].parameters =
        parameters(&["output_dtype", "requests[*].taskType"], json!({"labels": {"a": "b"}}));
    let gateway = Gateway::start(vec![any]).await;
    let texts: Vec<_> = (0..150).map(|at| at.to_string()).collect();
    let ask = json!({"model": "any", "input": texts, "task_type": "CLUSTERING", "output_dtype": "int8"});
    let provider = async {
        let mut bodies = Vec::new();
        for _ in 0..2 {
            let mut call = upstream.next().await;
            let body: Value = serde_json::from_slice(&call.body).expect("JSON");
            let count = body["requests"].as_array().map_or(0, Vec::len);
            let answer = json!({"embeddings": vec![json!({"values": [1]}); count]}).to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
            call.send(head.as_bytes()).await;
            bodies.push((count, body));
        }
        bodies
    };
    let ask = gateway.post("/v1/embeddings").body(ask.to_string()).send();
    let (answered, bodies) = tokio::join!(ask, provider);
    let answered = answered.expect("an answer");
    assert_eq!((answered.status().as_u16(), answered.headers().get("x-fairlead-losses")), (200, None));
    assert_eq!(bodies.iter().map(|(count, _)| count).sum::<usize>(), 150);
    for (_, body) in bodies {
        assert_eq!(body["labels"], json!({"a": "b"}), "{body}");
        assert!(body["requests"][0].get("content").is_some(), "{body}");
        assert_eq!(body.pointer("/requests/0/taskType"), None, "{body}");
    }
}
