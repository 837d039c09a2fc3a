//! Responses that cannot be had: each has a reason and a way out, and none is ignored in silence.

use catalogue::Dialect;
use gateway::Store;
use serde_json::{Value, json};

use super::{ask, id_of, keeping, response, speaking, store, told};
use crate::harness::{Gateway, NOBODY, delivery, model, until};
use crate::speakers::speaker;
use crate::upstream::Upstream;

/// An id as gateways make them.
const OWN: &str = "resp_019ab3f0c2d17e6fa3b1c9d2e4f50617";

/// What comes of going on from `id`, and of each errand to it.
async fn lost(gateway: &Gateway, id: &str) -> [(u16, Value); 5] {
    let body = json!({"model": "any", "input": "Hi", "previous_response_id": id}).to_string();
    let of = |rest: &str| format!("/v1/responses/{id}{rest}");
    // At once: where a database is away, each waits for it.
    tokio::join!(
        told(gateway.post("/v1/responses").body(body)),
        told(gateway.get(&of(""))),
        told(gateway.delete(&of(""))),
        told(gateway.post(&of("/cancel"))),
        told(gateway.get(&of("/input_items"))),
    )
    .into()
}

async fn is_lost(gateway: &Gateway, id: &str, why: &str) {
    for (number, (status, told)) in lost(gateway, id).await.into_iter().enumerate() {
        let error = &told["error"];
        let (wanted, code) =
            if number == 0 { (400, "previous_response_not_found") } else { (404, "response_not_found") };
        assert_eq!((status, &error["code"]), (wanted, &json!(code)), "{told}");
        assert_eq!(error["type"], "invalid_request_error");
        let message = error["message"].as_str().expect("why");
        assert!(message.contains(why) && message.contains(id), "{why}: {message}");
    }
}

async fn is_away(gateway: &Gateway, id: &str) {
    for (status, told) in lost(gateway, id).await {
        assert_eq!((status, &told["error"]["code"]), (503, &json!("store_unavailable")), "{told}");
    }
}

#[tokio::test]
async fn without_a_database_nothing_is_kept_and_that_is_said() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![model("any", &[&upstream.url()])]).await;
    let theirs = (speaker(Dialect::OpenaiChat).answer)().to_string();
    let (answer, _) = ask(&gateway, &upstream, &json!({"model": "any", "input": "Hi"}), &theirs).await;
    assert_eq!(answer["store"], false, "{answer}");
    is_lost(&gateway, id_of(&answer), "has no database").await;
    // Who asks for it by name is told by name.
    let sent = gateway.post("/v1/responses").body(r#"{"model":"any","input":"Hi","store":true}"#).send();
    let (answered, seen) = tokio::join!(sent, upstream.answer("200 OK", "", &theirs));
    assert_eq!(answered.expect("an answer").headers()["x-fairlead-losses"], "store");
    assert!(super::body_of(&seen).get("store").is_none(), "OpenAI's chat would keep something else");
}

#[tokio::test]
async fn what_the_client_does_not_want_kept_is_not() {
    let upstream = Upstream::start().await;
    let (_folder, store) = store().await;
    let gateway = Gateway::with_store(vec![model("any", &[&upstream.url()])], Some(store)).await;
    let body = json!({"model": "any", "input": "Hi", "store": false});
    let theirs = (speaker(Dialect::OpenaiChat).answer)().to_string();
    let (answer, _) = ask(&gateway, &upstream, &body, &theirs).await;
    assert_eq!(answer["store"], false, "{answer}");
    is_lost(&gateway, id_of(&answer), "store: false").await;
}

#[tokio::test]
async fn what_is_somebody_elses_or_expired_does_not_exist_and_the_expired_is_swept() {
    let (_folder, store) = store().await;
    let row = |id: &str, caller: &str, expires_us| store::StoredResponse {
        id: id.into(),
        caller: caller.into(),
        model: "any".into(),
        created_us: 1,
        expires_us,
        input: "[]".into(),
        answer: r#"{"output":[]}"#.into(),
    };
    let theirs = OWN.replace("0617", "0000");
    for response in [row(OWN, "master", 2), row(&theirs, "other", i64::MAX)] {
        store.response_insert(&response).await.expect("kept");
    }
    let gateway = Gateway::with_store(vec![model("any", &[NOBODY])], Some(store.clone())).await;
    is_lost(&gateway, OWN, "is older than 30 days").await;
    is_lost(&gateway, &theirs, "or never was").await;
    let is_there = |id: String, caller: &'static str| {
        let store = store.clone();
        async move { store.response_get(&id, caller, 0).await.expect("an answer").is_some() }
    };
    until("the sweep", || async { !is_there(OWN.into(), "master").await }).await;
    assert!(is_there(theirs, "other").await, "nobody else can delete it");
}

#[tokio::test]
async fn a_database_that_is_away_spoils_no_answer() {
    let upstream = Upstream::start().await;
    let (_folder, store) = store().await;
    let gateway = Gateway::with_store(vec![model("any", &[&upstream.url()])], Some(store.clone())).await;
    store.close().await;
    let chat = speaker(Dialect::OpenaiChat);
    let mut body = json!({"model": "any", "input": "Hi"});
    for (stream, theirs) in [(false, (chat.answer)().to_string()), (true, (chat.stream)())] {
        body["stream"] = json!(stream);
        let (answer, _) = ask(&gateway, &upstream, &body, &theirs).await;
        assert_eq!((&answer["status"], &answer["store"]), (&json!("completed"), &json!(false)), "{answer}");
        is_away(&gateway, id_of(&answer)).await;
    }
    let metrics = gateway.get("/metrics").send().await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains("fairlead_responses_kept_total{outcome=\"failed\"} 2"), "{metrics}");
}

#[tokio::test]
async fn a_response_whose_deployment_is_gone_says_so() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![keeping("any", &[&upstream.url()])]).await;
    let (answer, _) =
        ask(&gateway, &upstream, &json!({"model": "any", "input": "Hi"}), &response("resp_1").to_string())
            .await;
    let mut any = keeping("any", &[&upstream.url()]);
    any.deployments[0].id.name = "successor".into();
    gateway.deliver(delivery("r2", vec![any]));
    gateway.wait_for("r2").await;
    is_lost(&gateway, id_of(&answer), "is not configured any more").await;
}

#[tokio::test]
async fn a_providers_own_id_is_for_models_of_one_who_keeps_responses() {
    let gateway = Gateway::start(vec![model("any", &[NOBODY])]).await;
    is_lost(&gateway, "resp_0", "or never was").await;
    let (one, two) = (keeping("any", &[NOBODY]), keeping("two", &["http://127.0.0.1:2/v1"]));
    let mut two = two;
    two.deployments[0].id.name = "two".into();
    let gateway = Gateway::start(vec![one, two]).await;
    let (status, why) = told(gateway.get("/v1/responses/resp_0")).await;
    assert_eq!(status, 404);
    assert!(why["error"]["message"].as_str().expect("why").contains("more than one"), "{why}");
    assert_eq!(told(gateway.get("/v1/responses/%2E%2E")).await.0, 404, "no way to another path");
}

#[tokio::test]
async fn what_is_no_request_is_refused_by_name() {
    let gateway = Gateway::start(vec![speaking("any", &[NOBODY], &[Dialect::Anthropic])]).await;
    for (field, value, code) in [
        ("previous_response_id", json!(7), "invalid_type"),
        ("store", json!("yes"), "invalid_type"),
        ("background", json!(1), "invalid_type"),
        ("background", json!(true), "unsupported_parameter"),
    ] {
        let mut body = json!({"model": "any", "input": "Hi"});
        body[field] = value;
        let (status, why) = told(gateway.post("/v1/responses").body(body.to_string())).await;
        assert_eq!((status, &why["error"]["code"]), (400, &json!(code)), "{why}");
        assert_eq!(why["error"]["param"], field);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_not_kept() {
    let upstream = Upstream::start().await;
    let (_folder, store) = store().await;
    let gateway = Gateway::with_store(vec![model("any", &[&upstream.url()])], Some(store)).await;
    let stream = (speaker(Dialect::OpenaiChat).stream)();
    let (before, after) = stream.split_once("Sun").expect("words");
    let cut = format!("{before}Sun{}\n\n", after.split("\n\n").next().expect("an end"));
    let sent = gateway.post("/v1/responses").body(r#"{"model":"any","input":"Hi","stream":true}"#).send();
    let (answered, _) = tokio::join!(sent, upstream.answer("200 OK", "", &cut));
    let text = answered.expect("an answer").text().await.expect("text");
    assert!(text.contains("response.failed") || text.contains("event: error"), "{text}");
    is_lost(&gateway, id_of(&begun(&text)), "never was").await;
}

#[tokio::test]
async fn a_stream_whose_client_leaves_is_not_kept() {
    let upstream = Upstream::start().await;
    let (_folder, store) = store().await;
    let gateway = Gateway::with_store(vec![model("any", &[&upstream.url()])], Some(store)).await;
    let stream = (speaker(Dialect::OpenaiChat).stream)();
    let (before, _) = stream.split_once("ny.").expect("words");
    let (whole, _) = before.rsplit_once("data:").expect("frames");
    let sent = gateway.post("/v1/responses").body(r#"{"model":"any","input":"Hi","stream":true}"#).send();
    let (answered, mut exchange) = tokio::join!(sent, async {
        let mut exchange = upstream.next().await;
        exchange.begin_stream().await;
        exchange.send(whole.as_bytes()).await;
        exchange
    });
    let mut answered = answered.expect("an answer");
    let mut text = String::new();
    while !text.contains("\n\n") {
        text += std::str::from_utf8(&answered.chunk().await.expect("bytes").expect("more")).expect("text");
    }
    drop(answered);
    exchange.closed().await;
    is_lost(&gateway, id_of(&begun(&text)), "never was").await;
}

/// The response object of a stream's first frame.
fn begun(text: &str) -> Value {
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).expect("a frame");
    serde_json::from_str::<Value>(data).expect("JSON")["response"].clone()
}

#[tokio::test]
async fn a_server_that_keeps_nothing_has_nobody_to_keep_it_without_a_database() {
    let upstream = Upstream::start().await;
    let gateway =
        Gateway::start(vec![speaking("any", &[&upstream.url()], &[Dialect::OpenaiResponses])]).await;
    // Some say so anyway.
    let mut theirs = response("resp_theirs");
    theirs["store"] = json!(true);
    let (answer, seen) =
        ask(&gateway, &upstream, &json!({"model": "any", "input": "Hi"}), &theirs.to_string()).await;
    assert_eq!(super::body_of(&seen), json!({"model": "up-model", "input": "Hi"}));
    assert_eq!((&answer["store"], &answer["output"]), (&json!(false), &theirs["output"]));
    is_lost(&gateway, id_of(&answer), "has no database").await;
    // Who keeps its conversation itself gets the server's own bytes.
    let body = json!({"model": "any", "input": "Hi", "store": false});
    assert_eq!(ask(&gateway, &upstream, &body, &theirs.to_string()).await.0, theirs);
}

#[tokio::test]
async fn a_database_that_never_was_there_is_away_too() {
    let away = Store::connect("postgres://u:p@127.0.0.1:1/d").expect("a URL");
    let gateway = Gateway::with_store(vec![model("any", &[NOBODY])], Some(away)).await;
    is_away(&gateway, OWN).await;
}
