//! What clients are told when a call cannot be answered.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::calls::question;
use e2e::site::SOON;
use e2e::standin::Outcome;
use e2e::wait;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;

use crate::scenario::World;

pub(crate) async fn a_bad_request_is_told_what_is_wrong(world: &World) -> Result<()> {
    let caller = world.site.caller()?;
    let unknown = caller.ask("no-such-model").await?;
    ensure!(unknown.status == 404 && unknown.error_code() == "model_not_found", "{unknown:?}");
    let cases = [
        ("{\"model\": \"hello\",", 400, "invalid_json"),
        ("{\"model\": \"hello\", \"messages\": [], \"model\": \"other\"}", 400, "duplicate_key"),
        ("{\"messages\": []}", 400, "missing_required_parameter"),
    ];
    for (body, status, code) in cases {
        let url = format!("{}/v1/chat/completions", caller.base());
        let post = e2e::calls::client(e2e::calls::Reuse::Never)?.post(url).bearer_auth(&world.site.key);
        let response = post.header("content-type", "application/json").body(body).send().await?;
        let got = e2e::calls::Answer { status: response.status().as_u16(), text: response.text().await? };
        ensure!(
            got.status == status && got.error_code() == code,
            "{body} gave {got:?}; expected {status} {code}"
        );
    }
    Ok(())
}

pub(crate) async fn a_failing_upstream_gives_openais_errors(world: &World) -> Result<()> {
    let site = &world.site;
    let pods = site.api::<Pod>().list(&ListParams::default().labels("app=upstream")).await?.items;
    let ip = pods.into_iter().find_map(|pod| pod.status?.pod_ip).context("the stand-in has no address")?;
    let deaf = site.deployment("deaf", "gpt-deaf");
    let closed = format!("http://{ip}:9/v1"); // A port that nobody listens on.
    let deaf = deaf.replace(&format!("http://upstream.{}.svc:8080/v1", site.namespace.0), &closed);
    let hasty = "timeouts: {firstByte: 1s, request: 1s}";
    let yaml = [
        site.deployment("broken", "fail-500"),
        site.deployment("busy", "fail-429"),
        site.deployment("locked", "fail-401"),
        site.deployment("silent", "hang").replace("modelName:", &format!("{hasty}\n  modelName:")),
        site.deployment("mad", "garbage"),
        deaf,
    ];
    site.apply(&yaml.join("---\n")).await?;
    let cases = [
        ("broken", 500, "standin"),
        ("busy", 429, "standin"),
        ("locked", 502, "upstream_authentication"),
        ("silent", 504, "upstream_timeout"),
        ("mad", 502, "upstream_invalid_response"),
        ("deaf", 502, "upstream_unreachable"),
    ];
    let caller = site.caller()?;
    for (model, status, code) in cases {
        site.programmed(model).await?;
        let answer = caller.ask(model).await?;
        ensure!(
            answer.status == status && answer.error_code() == code,
            "{model}: {answer:?}, not {status} {code}"
        );
        ensure!(
            answer.json()?.pointer("/error/message").is_some(),
            "{model}: {} has no message",
            answer.text
        );
    }
    Ok(())
}

pub(crate) async fn a_cut_stream_ends_in_an_error_event(world: &World) -> Result<()> {
    let site = &world.site;
    site.serve("cut", &site.deployment("cut", "cut-stream")).await?;
    let mut stream = site.caller()?.open("cut").await?;
    let mut events = Vec::new();
    while let Some(event) = stream.next().await? {
        events.push(event);
    }
    let last = events.last().map(String::as_str).unwrap_or_default();
    ensure!(events.len() > 2, "what came before the cut must arrive: {events:?}");
    ensure!(!events.iter().any(|event| event == "[DONE]"), "a cut stream must not look whole: {events:?}");
    ensure!(last.contains("\"error\""), "the last event is {last}");
    Ok(())
}

pub(crate) async fn a_client_that_leaves_cancels_the_upstream_call(world: &World) -> Result<()> {
    let site = &world.site;
    let yaml = [site.deployment("endless", "slow-stream-600x100ms"), site.deployment("mute", "hang")];
    site.apply(&yaml.join("---\n")).await?;
    site.programmed("endless").await?;
    site.programmed("mute").await?;
    let caller = site.caller()?;
    let mut stream = caller.open("endless").await?;
    ensure!(stream.next().await?.is_some(), "no first event");
    drop(stream);
    // A whole answer would be read to its end, since its provider bills it all the same.
    let mute = question("mute", true);
    let left = tokio::time::timeout(Duration::from_secs(1), caller.send(&mute)).await;
    ensure!(left.is_err(), "a model that hangs answered: {left:?}");
    for model in ["slow-stream-600x100ms", "hang"] {
        wait::until_true(SOON, format!("the upstream to see that the client of {model} left"), async || {
            let calls = site.upstream.calls_for(model, 0).await?;
            ensure!(calls.len() == 1, "one call is due: {calls:?}");
            Ok(calls.iter().all(|call| call.outcome == Outcome::HungUp))
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn nobody_without_the_key_gets_in(world: &World) -> Result<()> {
    let caller = world.site.caller()?;
    let wrong = caller.with_key("sk-not-the-key-but-long-enough");
    let answer = wrong.ask("hello").await?;
    ensure!(answer.status == 401 && answer.error_code() == "invalid_api_key", "{answer:?}");
    ensure!(wrong.get("/v1/models").await?.status == 401, "the list of models is not for everybody");
    let answer = caller.with_key("").ask("hello").await?;
    ensure!(answer.status == 401, "{answer:?}");
    for path in ["/health", "/health/liveliness", "/health/liveness", "/health/readiness"] {
        let open = e2e::calls::client(e2e::calls::Reuse::Never)?
            .get(format!("{}{path}", caller.base()))
            .send()
            .await?;
        ensure!(open.status() == 200, "{path} must answer without a key, not {}", open.status());
        let text = open.text().await?;
        ensure!(!text.contains("hello"), "{path} tells strangers about models: {text}");
    }
    let detailed = caller.get("/health").await?;
    ensure!(detailed.status == 200 && detailed.text.contains("hello"), "{detailed:?}");
    Ok(())
}
