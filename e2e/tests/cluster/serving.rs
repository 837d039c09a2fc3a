//! From `kubectl apply` to answers: the promise that everything else rests on.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use e2e::calls::text_of;
use e2e::site::SOON;
use e2e::wait;
use serde_json::{Value, json};

use crate::scenario::World;

pub(crate) async fn an_applied_model_answers_and_is_listed(world: &World) -> Result<()> {
    let site = &world.site;
    site.serve("first", &site.deployment("first", "gpt-first")).await?;
    let caller = site.caller()?;
    ensure!(
        caller.ask("first").await?.content()? == "I am gpt-first.",
        "the stand-in must see the upstream's name"
    );
    for path in ["/v1/models", "/models"] {
        let listed = caller.get(path).await?;
        ensure!(listed.text.contains("\"first\""), "{path}: {}", listed.text);
    }
    ensure!(caller.get("/v1/models/first").await?.status == 200, "the model must be found by its name");
    ensure!(
        caller.get("/v1/models/second").await?.error_code() == "model_not_found",
        "no other model is there"
    );
    Ok(())
}

pub(crate) async fn a_stream_arrives_as_it_is_made(world: &World) -> Result<()> {
    let site = &world.site;
    site.serve("slow", &site.deployment("slow", "slow-stream-10x100ms")).await?;
    let mut stream = site.caller()?.open("slow").await?;
    let first = std::time::Instant::now();
    ensure!(stream.next().await?.is_some(), "no first event");
    let rest = stream.rest().await?;
    let took = first.elapsed().as_secs_f64();
    ensure!((0.8..3.0).contains(&took), "the rest took {took:.2} s; the upstream takes 1.1 s for it");
    let text = text_of(&rest)?;
    ensure!(text.ends_with("slow-stream-10x100ms:9 "), "the stream's text is {text:?}");
    Ok(())
}

pub(crate) async fn tools_pass_both_ways_untouched(world: &World) -> Result<()> {
    let site = &world.site;
    site.serve("helper", &site.deployment("helper", "tools")).await?;
    let caller = site.caller()?;
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tool = json!({"type": "function", "function": {"name": "get_weather", "parameters": parameters}});
    let image = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]);
    let mut body = json!({
        "model": "helper", "messages": [{"role": "user", "content": image}], "tools": [tool],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
        "a_field_of_the_future": {"kept": 1.50},
    });
    let answer = caller.send(&body).await?.json()?;
    let arguments =
        answer.pointer("/choices/0/message/tool_calls/0/function/arguments").and_then(Value::as_str);
    ensure!(arguments == Some("{\"city\": \"Köln\", \"unit\": \"celsius\"}"), "arguments {arguments:?}");
    let received = site.upstream.calls_for("tools", 0).await?;
    let sent = body.to_string().replace("\"helper\"", "\"tools\"");
    ensure!(received.iter().any(|call| call.body == sent), "the upstream got {received:#?}, not {sent}");
    if let Some(fields) = body.as_object_mut() {
        fields.insert("stream".into(), true.into());
    }
    let streamed = caller.stream("helper").await?;
    let pieces = streamed.iter().filter_map(|event| {
        let event: Value = serde_json::from_str(event).ok()?;
        Some(event.pointer("/choices/0/delta/tool_calls/0/function/arguments")?.as_str()?.to_owned())
    });
    let joined: String = pieces.collect();
    ensure!(joined == "{\"city\": \"Köln\", \"unit\": \"celsius\"}", "streamed arguments {joined:?}");
    Ok(())
}

pub(crate) async fn an_edit_serves_anew_while_streams_finish_on_the_old(world: &World) -> Result<()> {
    let site = &world.site;
    let caller = site.caller()?;
    site.serve("edited", &site.deployment("edited", "slow-stream-40x100ms-old")).await?;
    let mut stream = caller.open("edited").await?;
    ensure!(stream.next().await?.is_some(), "no first event");
    site.serve("edited", &site.deployment("edited", "gpt-new")).await?;
    ensure!(
        caller.ask("edited").await?.content()? == "I am gpt-new.",
        "the edit must serve once it is programmed"
    );
    let running = site.upstream.calls_for("slow-stream-40x100ms-old", 0).await?;
    ensure!(
        running.iter().any(|call| call.outcome == e2e::standin::Outcome::Running),
        "the stream ended before the edit was programmed; this run proves nothing: {running:?}"
    );
    let text = text_of(&stream.rest().await?)?;
    ensure!(text.ends_with("slow-stream-40x100ms-old:39 "), "the old stream ended with {text:?}");
    Ok(())
}

pub(crate) async fn a_deleted_model_is_gone_from_every_pod(world: &World) -> Result<()> {
    let site = &world.site;
    let yaml = site.deployment("doomed", "gpt-doomed");
    site.serve("doomed", &yaml).await?;
    site.cluster.kubectl(&["delete", "-n", &site.namespace.0, "-f", "-"], &yaml).await?;
    let pods = site.pod_callers().await?;
    ensure!(pods.len() == 2, "two pods must serve, not {}", pods.len());
    for (caller, _reach) in &pods {
        wait::until_true(SOON, "the deleted model to be unknown", async || {
            let answer = caller.ask("doomed").await?;
            Ok(answer.status == 404 && answer.error_code() == "model_not_found")
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn priority_and_weight_choose_among_deployments(world: &World) -> Result<()> {
    let site = &world.site;
    let member = |name: &str, extra: &str| {
        let yaml = site.deployment(name, &format!("gpt-{name}"));
        yaml.replace(&format!("modelName: {name}"), &format!("modelName: group\n  {extra}"))
    };
    let yaml = [member("east", "weight: 3"), member("west", "weight: 1"), member("spare", "priority: 1")]
        .join("---\n");
    site.apply(&yaml).await?;
    for name in ["east", "west", "spare"] {
        site.programmed(name).await?;
    }
    let caller = site.caller()?;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..80 {
        *counts.entry(caller.ask("group").await?.content()?).or_default() += 1;
    }
    let of = |name: &str| counts.get(&format!("I am gpt-{name}.")).copied().unwrap_or_default();
    ensure!(of("spare") == 0, "a later priority must rest while the first stands: {counts:?}");
    // 60 and 20 are due; five standard deviations are 19.
    ensure!((41..=79).contains(&of("east")) && of("west") > 0, "weights 3 to 1 gave {counts:?}");
    Ok(())
}
