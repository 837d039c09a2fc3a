//! Providers that keep responses: the client's ids lead back to the deployment, and no other byte changes.

use serde_json::{Value, json};

use super::{ask, body_of, id_of, keeping, request_line, response, told};
use crate::budgets::key;
use crate::harness::{Gateway, NOBODY, client, logged};
use crate::upstream::Upstream;

async fn first(gateway: &Gateway, upstream: &Upstream) -> String {
    let (answer, _) =
        ask(gateway, upstream, &json!({"model": "any", "input": "Hi"}), &response("resp_1").to_string())
            .await;
    id_of(&answer).to_owned()
}

#[tokio::test]
async fn an_answer_is_the_providers_but_for_its_ids() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![keeping("any", &[&upstream.url()])]).await;
    let theirs = r#"{ "id" :"resp_1","previous_response_id":null, "output":[{"id":"rs_1","encrypted_content":"x"}] ,"n":1.50}"#;
    let sent = gateway.post("/v1/responses").body(r#"{"model":"any","input":"Hi"}"#).send();
    let (answered, seen) = tokio::join!(sent, upstream.answer("200 OK", "", theirs));
    let text = answered.expect("an answer").text().await.expect("whole");
    let id = serde_json::from_str::<Value>(&text).expect("JSON")["id"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("resp_A") && id != "resp_1", "{id}");
    assert_eq!(text, theirs.replace("resp_1", &id));
    assert_eq!(seen.body, br#"{"model":"up-model","input":"Hi"}"#);
}

#[tokio::test]
async fn a_stream_has_the_same_id_in_every_frame_that_has_one() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![keeping("any", &[&upstream.url()])]).await;
    let frame = |kind: &str, status: &str| {
        let mut response = response("resp_1");
        response["status"] = json!(status);
        format!("event: {kind}\ndata: {}\n\n", json!({"type": kind, "response": response}))
    };
    let delta = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"resp_1 \\\"response\\\":\"}\n\n";
    let theirs = [
        frame("response.created", "in_progress"),
        frame("response.in_progress", "in_progress"),
        delta.to_owned(),
        frame("response.completed", "completed"),
    ]
    .concat();
    let id = first(&gateway, &upstream).await;
    let sent = gateway.post("/v1/responses").body(r#"{"model":"any","input":"Hi","stream":true}"#).send();
    let (answered, _) =
        tokio::join!(sent, upstream.answer("200 OK", "content-type: text/event-stream\r\n", &theirs));
    let text = answered.expect("an answer").text().await.expect("whole");
    assert_eq!(text, theirs.replace("\"resp_1\"", &format!("\"{id}\"")));
    assert_eq!(text.matches(&id).count(), 3);
}

#[tokio::test]
async fn what_goes_on_goes_to_the_deployment_that_keeps_it_and_nowhere_else() {
    let (one, two) = (Upstream::start().await, Upstream::start().await);
    let mut any = keeping("any", &[NOBODY, &one.url(), &two.url()]);
    any.deployments[0].weight = 1;
    let gateway = Gateway::start(vec![any.clone()]).await;
    let id = first(&gateway, &one).await;
    // The one that answered is neither the first to be tried nor the only one.
    any.deployments.rotate_left(2);
    (0..).zip(&mut any.deployments).for_each(|(n, one)| one.priority = n);
    gateway.deliver(crate::harness::delivery("r2", vec![any]));
    gateway.wait_for("r2").await;
    let asked = format!(r#"{{"previous_response_id" : "{id}", "model":"any","input":"More","store":true}}"#);
    let mut answer = response("resp_2");
    answer["previous_response_id"] = json!("resp_1");
    let (sent, theirs) = (gateway.post("/responses").body(asked).send(), answer.to_string());
    let (answered, seen) = tokio::join!(sent, one.answer("200 OK", "", &theirs));
    let answered: Value = answered.expect("an answer").json().await.expect("JSON");
    assert_eq!(answered["previous_response_id"], *id, "wrapped again");
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        r#"{"previous_response_id" : "resp_1", "model":"up-model","input":"More","store":true}"#
    );
    // If it is busy, nobody else could do it.
    let asked = json!({"model": "any", "previous_response_id": id, "input": "More"}).to_string();
    let sent = gateway.post("/v1/responses").body(asked).send();
    let (answered, _) = tokio::join!(sent, one.answer("503 Busy", "", r#"{"error":{"message":"busy"}}"#));
    assert_eq!(answered.expect("an answer").status(), 503);
}

#[tokio::test]
async fn errands_are_run_at_the_provider() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![keeping("any", &[&upstream.url()])]).await;
    let id = first(&gateway, &upstream).await;
    let of = |rest: &str| format!("/v1/responses/{id}{rest}");
    let whole = response("resp_1").to_string();
    let deleted = r#"{"id":"resp_1","object":"response","deleted":true}"#;
    let items = r#"{"object":"list","data":[{"id":"msg_1"}],"first_id":"msg_1","has_more":false}"#;
    for (request, line, theirs) in [
        (
            gateway.get(&of("?include[]=a.b&include[]=c&key=k")),
            "get /v1/responses/resp_1?include%5b%5d=a.b&include%5b%5d=c",
            &*whole,
        ),
        (gateway.delete(&of("")), "delete /v1/responses/resp_1", deleted),
        (gateway.post(&of("/cancel")), "post /v1/responses/resp_1/cancel", &whole),
        (
            gateway.get(&of("/input_items?after=msg_0&limit=2&order=asc")),
            "get /v1/responses/resp_1/input_items?after=msg_0&limit=2&order=asc",
            items,
        ),
        (gateway.get(&of("").replace("/v1", "")), "get /v1/responses/resp_1", &whole),
    ] {
        let (answered, seen) = tokio::join!(request.send(), upstream.answer("200 OK", "", theirs));
        let answered = answered.expect("an answer");
        assert_eq!(request_line(&seen), line);
        assert!(seen.head.contains("authorization: bearer sk-upstream"), "{}", seen.head);
        let call = answered.headers()["x-fairlead-request-id"].to_str().expect("text").to_owned();
        assert_eq!(answered.text().await.expect("whole"), theirs.replace("resp_1", &id));
        let record = logged(&call).await;
        assert_eq!((&record["outcome"], &record["deployment"]), (&json!("answered"), &json!("ai/d0")));
        assert!(record["input_tokens"].is_null(), "what was used is not used again: {record}");
    }
}

#[tokio::test]
async fn a_response_can_be_watched_again_from_where_it_broke() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![keeping("any", &[&upstream.url()])]).await;
    let id = first(&gateway, &upstream).await;
    let end = json!({"type": "response.completed", "sequence_number": 9, "response": response("resp_1")});
    let theirs = format!("event: response.completed\ndata: {end}\n\n");
    let sent = gateway.get(&format!("/v1/responses/{id}?stream=true&starting_after=8")).send();
    let (answered, seen) = tokio::join!(sent, upstream.answer("200 OK", "", &theirs));
    let answered = answered.expect("an answer");
    assert_eq!(request_line(&seen), "get /v1/responses/resp_1?stream=true&starting_after=8");
    assert_eq!(answered.headers()["content-type"], "text/event-stream");
    assert_eq!(answered.text().await.expect("whole"), theirs.replace("resp_1", &id));
}

#[tokio::test]
async fn a_providers_no_is_relayed() {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(vec![keeping("any", &[&upstream.url()])]).await;
    let id = first(&gateway, &upstream).await;
    let theirs = r#"{"error":{"message":"Response with id 'resp_1' not found.","type":"invalid_request_error","param":null,"code":null}}"#;
    let sent = gateway.get(&format!("/v1/responses/{id}")).send();
    let (answered, _) = tokio::join!(sent, upstream.answer("404 Not Found", "", theirs));
    let answered = answered.expect("an answer");
    assert_eq!(answered.status(), 404);
    assert_eq!(answered.text().await.expect("whole"), theirs);
}

#[tokio::test]
async fn ids_from_before_a_migration_go_to_those_who_can_know_them() {
    let upstream = Upstream::start().await;
    let (mut chat, any) = (crate::harness::model("chat", &[NOBODY]), keeping("any", &[&upstream.url()]));
    chat.deployments[0].id.name = "chat".into();
    let gateway = Gateway::start(vec![chat, any]).await;
    // What LiteLLM makes of `litellm:custom_llm_provider:openai;model_id:<m>;response_id:resp_0`, and OpenAI's own.
    let litellm =
        "resp_bGl0ZWxsbTpjdXN0b21fbGxtX3Byb3ZpZGVyOm9wZW5haTttb2RlbF9pZDo2ZTNmO3Jlc3BvbnNlX2lkOnJlc3BfMA==";
    let named =
        "resp_bGl0ZWxsbTpjdXN0b21fbGxtX3Byb3ZpZGVyOm9wZW5haTttb2RlbF9pZDphaS9kMDtyZXNwb25zZV9pZDpyZXNwXzA=";
    for id in ["resp_0", litellm, named] {
        let body = json!({"model": "any", "input": "Hi", "previous_response_id": id});
        let (_, seen) = ask(&gateway, &upstream, &body, &response("resp_1").to_string()).await;
        assert_eq!(body_of(&seen)["previous_response_id"], "resp_0", "{id}");
        let theirs = response("resp_0").to_string();
        let sent = gateway.get(&format!("/v1/responses/{id}")).send();
        let (answered, seen) = tokio::join!(sent, upstream.answer("200 OK", "", &theirs));
        assert_eq!(answered.expect("an answer").status(), 200);
        assert_eq!(request_line(&seen), "get /v1/responses/resp_0", "{id}");
    }
}

#[tokio::test]
async fn another_model_at_the_same_account_may_go_on_and_at_another_may_not() {
    let upstream = Upstream::start().await;
    let url = upstream.url();
    let mut other = keeping("other", &[&url]);
    other.deployments[0].id.name = "other".into();
    let mut away = keeping("away", &[NOBODY]);
    away.deployments[0].id.name = "away".into();
    let gateway = Gateway::start(vec![keeping("any", &[&url]), other, away]).await;
    let id = first(&gateway, &upstream).await;
    let body = json!({"model": "other", "input": "Hi", "previous_response_id": id});
    let (_, seen) = ask(&gateway, &upstream, &body, &response("resp_2").to_string()).await;
    assert_eq!(body_of(&seen)["previous_response_id"], "resp_1");
    let body = json!({"model": "away", "input": "Hi", "previous_response_id": id}).to_string();
    let (status, why) = told(gateway.post("/v1/responses").body(body)).await;
    assert_eq!((status, &why["error"]["code"]), (400, &json!("previous_response_not_found")));
    assert!(why["error"]["message"].as_str().expect("why").contains("ai/d0"), "{why}");
}

#[tokio::test]
async fn an_errand_is_for_those_who_may_ask_the_model_and_the_log_names_them() {
    let upstream = Upstream::start().await;
    let mut other = keeping("other", &[&upstream.url()]);
    other.deployments[0].id.name = "other".into();
    let models = vec![keeping("any", &[&upstream.url()]), other];
    let gateway = Gateway::start(models.clone()).await;
    let id = first(&gateway, &upstream).await;
    let mut delivery = crate::harness::delivery("r2", models);
    let only = |name: &str, model: &str| {
        let models = config::Access { allow: vec![model.into()], ..config::Access::default() };
        config::Key { models, ..key(name, "red") }
    };
    delivery.config.keys = vec![only("asks-any", "any"), only("asks-other", "other"), only("asks-no", "no")];
    gateway.deliver(delivery);
    gateway.wait_for("r2").await;
    let placed = format!("/v1/responses/{id}");
    for request in [
        client().get(format!("{}{placed}", gateway.url)),
        client().delete(format!("{}{placed}", gateway.url)),
        client().post(format!("{}{placed}/cancel", gateway.url)),
        client().get(format!("{}{placed}/input_items", gateway.url)),
    ] {
        let (status, why) = told(request.bearer_auth("sk-budgets-asks-other")).await;
        assert_eq!((status, &why["error"]["code"]), (403, &json!("key_model_access_denied")), "{why}");
    }
    let bare = client().get(format!("{}/v1/responses/resp_0", gateway.url));
    let (status, why) = told(bare.bearer_auth("sk-budgets-asks-no")).await;
    assert_eq!((status, &why["error"]["code"]), (403, &json!("key_model_access_denied")), "{why}");
    // Nobody knows which model made a provider's own id: any at its account may look for it.
    for (name, path, model) in [
        ("asks-any", &*placed, "any"),
        ("asks-any", "/v1/responses/resp_0", "any"),
        ("asks-other", "/v1/responses/resp_0", "other"),
    ] {
        let sent =
            client().get(format!("{}{path}", gateway.url)).bearer_auth(format!("sk-budgets-{name}")).send();
        let theirs = response("resp_1").to_string();
        let (answered, _) = tokio::join!(sent, upstream.answer("200 OK", "", &theirs));
        let answered = answered.expect("an answer");
        assert_eq!(answered.status(), 200, "{name} {path}");
        let call = answered.headers()["x-fairlead-request-id"].to_str().expect("text").to_owned();
        answered.text().await.expect("whole");
        let record = logged(&call).await;
        assert_eq!(
            (&record["key"], &record["model"]),
            (&json!(format!("ai/{name}")), &json!(model)),
            "{record}"
        );
    }
}
