//! Providers that keep nothing: the gateway keeps the conversation, whatever language they speak.

use catalogue::Dialect;
use gateway::boot::standalone_store;
use serde_json::{Value, json};

use super::{ask, body_of, id_of, keeping, last, speaking, store, told};
use crate::harness::{Gateway, NOBODY, mock, model};
use crate::speakers::{ALL, Heard, QUESTION, RESULT, SYSTEM, TOOL, WORDS, arguments, speaker};
use crate::upstream::Upstream;

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    json!([{"type": "function", "name": TOOL, "parameters": schema}])
}

/// What the client says after the tool has run. It names the response before, and nothing of what was said there.
fn result(previous: &str, call: &Value) -> Value {
    json!({
        "model": "any", "max_output_tokens": 100, "previous_response_id": previous, "tools": tools(),
        "input": [{"type": "function_call_output", "call_id": call["call_id"], "output": RESULT}],
    })
}

fn call_in(response: &Value) -> Value {
    let output = response["output"].as_array().expect("output");
    output.iter().find(|item| item["type"] == "function_call").expect("a call").clone()
}

#[tokio::test]
async fn a_conversation_with_a_tool_goes_on_in_every_language() {
    for provider in ALL.into_iter().filter(|provider| provider.converses) {
        for stream in [false, true] {
            let cell = format!("{}, stream: {stream}", provider.dialect.name());
            let upstream = Upstream::start().await;
            let (_folder, store) = store().await;
            let any = speaking("any", &[&upstream.url()], &[provider.dialect]);
            let gateway = Gateway::with_store(vec![any], Some(store)).await;
            let pick = |whole: fn() -> Value, streamed: fn() -> String| {
                if stream { streamed() } else { whole().to_string() }
            };
            let mut body = (speaker(Dialect::OpenaiResponses).ask)(stream);
            let (first, _) =
                ask(&gateway, &upstream, &body, &pick(provider.tool_answer, provider.tool_stream)).await;
            assert_eq!(
                (&first["store"], &first["previous_response_id"]),
                (&json!(true), &Value::Null),
                "{cell}"
            );
            let id = id_of(&first);
            assert!(id.starts_with("resp_0") && id.len() == 37, "{cell}: {id}");

            body = result(id, &call_in(&first));
            body["stream"] = json!(stream);
            let (second, seen) =
                ask(&gateway, &upstream, &body, &pick(provider.answer, provider.stream)).await;
            let heard = (provider.heard)(&body_of(&seen));
            let wanted = Heard {
                // `instructions` are not carried over.
                system: String::new(),
                question: QUESTION.into(),
                tools: vec![TOOL.into()],
                call: Some((TOOL.into(), arguments())),
                result: Some(RESULT.into()),
            };
            assert_eq!(heard, wanted, "{cell}");
            assert_eq!(second["previous_response_id"], id, "{cell}");

            let body = json!({"model": "any", "previous_response_id": second["id"], "input": "Sure?", "instructions": SYSTEM, "tools": tools(), "stream": stream});
            let (third, seen) =
                ask(&gateway, &upstream, &body, &pick(provider.answer, provider.stream)).await;
            let sent = body_of(&seen).to_string();
            for said in [QUESTION, RESULT, WORDS, "Sure?", SYSTEM] {
                assert_eq!(sent.matches(said).count(), 1, "{cell}: {said} in {sent}");
            }
            assert!(!sent.contains(id_of(&second)) && !sent.contains(id_of(&first)), "{cell}: {sent}");
            let (status, fetched) = told(gateway.get(&format!("/v1/responses/{}", id_of(&third)))).await;
            assert_eq!((status, &fetched), (200, &third), "{cell}: as it was answered");
        }
    }
}

#[tokio::test]
async fn every_frame_of_a_stream_names_the_response_alike() {
    let (_folder, store) = store().await;
    let gateway = Gateway::with_store(vec![mock("any")], Some(store)).await;
    let sent = gateway.post("/v1/responses").body(r#"{"model":"any","input":"Hi","stream":true}"#).send();
    let text = sent.await.expect("an answer").text().await.expect("text");
    let id = last(&text)["id"].as_str().expect("an id").to_owned();
    let named: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .filter(|event| event["response"].is_object())
        .collect();
    assert!(named.len() >= 3, "{text}");
    for event in named {
        assert_eq!(
            (&event["response"]["id"], &event["response"]["store"]),
            (&json!(id), &json!(true)),
            "{event}"
        );
    }
    assert_eq!(told(gateway.get(&format!("/responses/{id}"))).await.0, 200);
}

#[tokio::test]
async fn two_gateways_on_one_database_share_what_is_kept() {
    let upstream = Upstream::start().await;
    let (folder, store) = store().await;
    let start = |store| Gateway::with_store(vec![model("any", &[&upstream.url()])], Some(store));
    let another = standalone_store(folder.path()).await.expect("as another process opens it");
    let (one, two) = (start(store).await, start(another).await);
    let chat = speaker(Dialect::OpenaiChat);
    let theirs = (chat.answer)().to_string();
    let (first, _) = ask(&one, &upstream, &json!({"model": "any", "input": QUESTION}), &theirs).await;
    let body = json!({"model": "any", "previous_response_id": first["id"], "input": "Sure?"});
    let (_, seen) = ask(&two, &upstream, &body, &theirs).await;
    assert_eq!(body_of(&seen)["messages"].as_array().map(Vec::len), Some(3));
    assert_eq!(told(two.delete(&format!("/v1/responses/{}", id_of(&first)))).await.0, 200);
    assert_eq!(told(one.get(&format!("/v1/responses/{}", id_of(&first)))).await.0, 404);
}

#[tokio::test]
async fn a_kept_response_is_deleted_listed_and_not_cancelled() {
    let upstream = Upstream::start().await;
    let (_folder, store) = store().await;
    let gateway = Gateway::with_store(vec![model("any", &[&upstream.url()])], Some(store)).await;
    let theirs = (speaker(Dialect::OpenaiChat).answer)().to_string();
    let (first, _) = ask(&gateway, &upstream, &json!({"model": "any", "input": QUESTION}), &theirs).await;
    let body = json!({"model": "any", "previous_response_id": first["id"], "input": [{"role": "user", "content": "Sure?"}]});
    let (second, _) = ask(&gateway, &upstream, &body, &theirs).await;
    let of = |response: &Value, rest: &str| format!("/v1/responses/{}{rest}", id_of(response));

    let (status, page) = told(gateway.get(&of(&second, "/input_items?limit=2"))).await;
    assert_eq!((status, &page["object"], &page["has_more"]), (200, &json!("list"), &json!(true)), "{page}");
    assert_eq!(page["data"][0]["content"][0], json!({"type": "input_text", "text": "Sure?"}), "{page}");
    assert_eq!(page["data"][1]["role"], "assistant", "what was answered before is input now");
    let next =
        of(&second, &format!("/input_items?limit=2&after={}", page["last_id"].as_str().expect("an id")));
    let (_, page) = told(gateway.get(&next)).await;
    assert_eq!(page["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&page["data"][0]["content"][0]["text"], &page["has_more"]),
        (&json!(QUESTION), &json!(false))
    );
    for (query, name) in [("limit=0", "limit"), ("order=up", "order"), ("after=msg_x", "after")] {
        let (status, why) = told(gateway.get(&of(&second, &format!("/input_items?{query}")))).await;
        assert_eq!((status, &why["error"]["param"]), (400, &json!(name)), "{why}");
    }

    let (status, why) = told(gateway.post(&of(&first, "/cancel"))).await;
    assert!(status == 400 && why["error"]["message"].as_str().expect("why").contains("background"), "{why}");
    let (status, why) = told(gateway.get(&of(&first, "?stream=true"))).await;
    assert_eq!((status, &why["error"]["param"]), (400, &json!("stream")), "{why}");

    let (status, gone) = told(gateway.delete(&of(&first, ""))).await;
    assert_eq!((status, &gone), (200, &json!({"id": first["id"], "object": "response", "deleted": true})));
    assert_eq!(told(gateway.delete(&of(&first, ""))).await.0, 404, "but once");
    assert_eq!(told(gateway.get(&of(&second, ""))).await.0, 200, "what went on from it stays whole");
}

#[tokio::test]
async fn a_server_that_keeps_nothing_is_not_asked_to() {
    let upstream = Upstream::start().await;
    let (_folder, store) = store().await;
    let any = speaking("any", &[&upstream.url()], &[Dialect::OpenaiResponses]);
    let gateway = Gateway::with_store(vec![any], Some(store)).await;
    let theirs = super::response("resp_theirs").to_string();
    let (first, seen) =
        ask(&gateway, &upstream, &json!({"model": "any", "input": "Hi", "store": true}), &theirs).await;
    assert_eq!(body_of(&seen), json!({"model": "up-model", "input": "Hi", "store": false}));
    assert_ne!(first["id"], "resp_theirs", "ids of such servers may be anybody's");
    assert_eq!(first["output"], super::response("")["output"], "all else is theirs");
    let body = json!({"model": "any", "previous_response_id": first["id"], "input": "More"});
    let (_, seen) = ask(&gateway, &upstream, &body, &theirs).await;
    let sent = body_of(&seen);
    assert_eq!(sent["previous_response_id"], Value::Null);
    assert_eq!(sent["input"].as_array().map(Vec::len), Some(3), "{sent}");
    assert_eq!(sent["input"][1], first["output"][0], "as it was answered");
}

#[tokio::test]
async fn another_provider_may_go_on_and_one_that_keeps_responses_sees_no_foreign_ids() {
    let upstream = Upstream::start().await;
    let (_folder, store) = store().await;
    let mut any = speaking("any", &[&upstream.url(), NOBODY], &[Dialect::OpenaiChat]);
    let gateway = Gateway::with_store(vec![any.clone()], Some(store)).await;
    let theirs = (speaker(Dialect::OpenaiChat).answer)().to_string();
    let (first, _) = ask(&gateway, &upstream, &json!({"model": "any", "input": "Hi"}), &theirs).await;
    any.deployments[0] = keeping("any", &[&upstream.url()]).deployments.remove(0);
    gateway.deliver(crate::harness::delivery("r2", vec![any]));
    gateway.wait_for("r2").await;
    let body = json!({"model": "any", "previous_response_id": first["id"], "input": "More"});
    let (second, seen) = ask(&gateway, &upstream, &body, &super::response("resp_2").to_string()).await;
    let sent = body_of(&seen);
    assert_eq!(sent["input"].as_array().map(Vec::len), Some(3), "{sent}");
    assert!(sent["input"].as_array().expect("items").iter().all(|item| item.get("id").is_none()), "{sent}");
    assert!(id_of(&second).starts_with("resp_A"), "kept there from now on");
}

#[tokio::test]
async fn what_is_kept_is_no_loss_and_what_says_nothing_neither() {
    let upstream = Upstream::start().await;
    let (_folder, store) = store().await;
    let any = speaking("any", &[&upstream.url()], &[Dialect::Anthropic]);
    let gateway = Gateway::with_store(vec![any], Some(store)).await;
    let theirs = (speaker(Dialect::Anthropic).answer)().to_string();
    let mut body = json!({"model": "any", "input": "Hi", "store": true, "background": false, "previous_response_id": null});
    for _ in 0..2 {
        let sent = gateway.post("/v1/responses").body(body.to_string()).send();
        let (answered, _) = tokio::join!(sent, upstream.answer("200 OK", "", &theirs));
        let answered = answered.expect("an answer");
        assert_eq!(answered.headers().get("x-fairlead-losses"), None);
        let answer: Value = answered.json().await.expect("JSON");
        assert_eq!(answer["store"], true);
        body["previous_response_id"] = answer["id"].clone();
    }
}
