//! BudgetPolicies as people meet them: what they apply, and what they are told.

use anyhow::{Context, Result, ensure};
use crds::{BudgetPolicy, ConditionType};
use e2e::cluster::condition;
use e2e::site::{SOON, Site, reached, refused};
use e2e::wait;

use crate::scenario::World;

fn policy(name: &str, limits: &str) -> String {
    format!(
        "apiVersion: fairlead.dev/v1alpha1
kind: BudgetPolicy
metadata: {{name: {name}}}
spec:
  targets: [{{kind: Team}}]
  limits: [{limits}]
"
    )
}

const MONTH: &str =
    "{name: usd-month, unit: USD, amount: \"500.00\", window: {calendar: Month, timeZone: Europe/Berlin}}";

async fn ready(site: &Site, name: &str) -> Result<BudgetPolicy> {
    reached(&site.api::<BudgetPolicy>(), name, ConditionType::Ready, SOON).await
}

pub(crate) async fn a_policy_reaches_every_pod_and_reads_well(world: &World) -> Result<()> {
    let site = &world.site;
    let minute = "{name: tpm, unit: Tokens, amount: 400000, window: {rolling: 1m}, onExceed: Throttle}";
    site.apply(&policy("teams", &format!("{MONTH}, {minute}"))).await?;
    let object = ready(site, "teams").await?;
    let programmed = condition(&object, ConditionType::Programmed).context("no condition Programmed")?;
    ensure!(programmed.message.contains("2/2 pods current"), "Programmed says {:?}", programmed.message);
    listed(site, "NAME BUDGET SPENT REMAINING % RESETS READY AGE").await?;
    listed(site, "teams 500.00 USD/month, 400000 tokens/1m 0.00 500.00 0 20").await
}

/// Waits until `kubectl get bpol` has a line that begins so.
async fn listed(site: &Site, line: &str) -> Result<()> {
    wait::until(SOON, format!("kubectl get bpol to say {line:?}"), async || {
        let said = site.cluster.kubectl(&["get", "bpol", "-n", &site.namespace.0], "").await?;
        let mut squeezed = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        ensure!(squeezed.any(|have| have.starts_with(line)), "it says\n{said}");
        Ok(Some(()))
    })
    .await
}

pub(crate) async fn what_is_spent_is_told_by_kubectl(world: &World) -> Result<()> {
    let site = &world.site;
    let policy = "apiVersion: fairlead.dev/v1alpha1
kind: BudgetPolicy
metadata: {name: live}
spec:
  targets: [{kind: Model}]
  limits: [{name: hourly, unit: Requests, amount: 10, window: {rolling: 1h}}]
";
    site.serve("live", &site.deployment("live", "gpt-live")).await?;
    site.apply(policy).await?;
    ready(site, "live").await?;
    let caller = site.caller()?;
    for _ in 0..3 {
        let answer = caller.ask("live").await?;
        ensure!(answer.status == 200, "status {}: {}", answer.status, answer.text);
    }
    // Each pod counts by itself here: it is the sum of both.
    listed(site, "live 10 requests/1h 3 7 30").await?;
    let status = site.api::<BudgetPolicy>().get("live").await?.status.context("no status")?;
    let top = status.top.first().context("nobody in status.top")?;
    ensure!(top.subject == "model:live" && top.percent == 30, "the first of status.top is {top:?}");
    ensure!(status.observed_at.is_some(), "no observedAt");
    Ok(())
}

pub(crate) async fn a_zone_that_is_not_is_named_and_the_limits_before_hold(world: &World) -> Result<()> {
    let site = &world.site;
    site.apply(&policy("zoned", MONTH)).await?;
    ready(site, "zoned").await?;
    site.apply(&policy("zoned", &MONTH.replace("Berlin", "Nowhere"))).await?;
    let api = site.api::<BudgetPolicy>();
    let message = refused(&api, "zoned", ConditionType::Accepted, "InvalidSpec").await?;
    ensure!(message.contains("Europe/Nowhere"), "the message must name the zone: {message}");
    ensure!(message.contains("the version before goes on serving"), "{message}");
    site.apply(&policy("zoned", MONTH)).await?;
    ready(site, "zoned").await.map(drop)
}

pub(crate) async fn of_two_policies_that_say_the_same_the_older_holds(world: &World) -> Result<()> {
    let site = &world.site;
    let api = site.api::<BudgetPolicy>();
    site.apply(&policy("first", MONTH)).await?;
    let first = ready(site, "first").await?;
    let born = first.metadata.creation_timestamp.clone();
    // Times of creation are whole seconds, and of one second the name decides.
    site.apply(&policy("second", MONTH)).await?;
    let message = refused(&api, "second", ConditionType::Accepted, "ConflictingPolicy").await?;
    ensure!(message.contains("BudgetPolicy first is older"), "{born:?}: {message}");
    let second = api.get("second").await?;
    let conflicted = condition(&second, ConditionType::Conflicted).context("no condition Conflicted")?;
    ensure!(conflicted.status == "True", "Conflicted is {}", conflicted.status);
    site.apply(&policy("second", &MONTH.replace("usd-month", "usd-per-month"))).await?;
    let second = ready(site, "second").await?;
    ensure!(condition(&second, ConditionType::Conflicted).is_none(), "Conflicted is present only while True");
    Ok(())
}

pub(crate) async fn a_reset_is_told_when_every_pod_has_it(world: &World) -> Result<()> {
    let site = &world.site;
    site.apply(&policy("spent", MONTH)).await?;
    ready(site, "spent").await?;
    let time = "2026-11-01T12:00:00Z";
    let asked = format!("{}={time}", crds::RESET_ANNOTATION);
    site.cluster.kubectl(&["annotate", "bpol", "spent", &asked, "-n", &site.namespace.0], "").await?;
    wait::until_true(SOON, "the reset to be told", async || {
        let status = site.api::<BudgetPolicy>().get("spent").await?.status.context("no status")?;
        Ok(status.last_handled_reset_at.as_deref() == Some(time))
    })
    .await?;
    ready(site, "spent").await.map(drop)
}

pub(crate) async fn a_full_limit_refuses_on_every_pod(world: &World) -> Result<()> {
    let site = &world.site;
    let policy = "apiVersion: fairlead.dev/v1alpha1
kind: BudgetPolicy
metadata: {name: capped}
spec:
  targets: [{kind: Model, name: capped}]
  limits: [{name: hourly, unit: Requests, amount: 1, window: {rolling: 1h}}]
";
    site.serve("capped", &site.deployment("capped", "gpt-capped")).await?;
    site.apply(policy).await?;
    ready(site, "capped").await?;
    let caller = site.caller()?;
    let mut answered = 0;
    for _ in 0..6 {
        let answer = caller.ask("capped").await?;
        match answer.status {
            200 => answered += 1,
            429 => ensure!(answer.text.contains("limit hourly of"), "the refusal says {:?}", answer.text),
            other => ensure!(false, "status {other}: {:?}", answer.text),
        }
    }
    // Without Redis each of the two pods counts by itself.
    ensure!((1..=2).contains(&answered), "{answered} of 6 were let in");
    Ok(())
}

pub(crate) async fn a_threshold_that_is_reached_becomes_an_event(world: &World) -> Result<()> {
    let site = &world.site;
    let policy = "apiVersion: fairlead.dev/v1alpha1
kind: BudgetPolicy
metadata: {name: alerted}
spec:
  targets: [{kind: Model, name: alerted}]
  limits: [{name: hourly, unit: Requests, amount: 4, window: {rolling: 1h}}]
  alerts: [{atPercent: 50}]
";
    site.serve("alerted", &site.deployment("alerted", "gpt-alerted")).await?;
    site.apply(policy).await?;
    ready(site, "alerted").await?;
    let caller = site.caller()?;
    // Each of the two pods counts by itself: one of them gets three.
    for _ in 0..5 {
        caller.ask("alerted").await?;
    }
    let said = "limit hourly for model:alerted is used";
    wait::until(SOON, format!("an event that says {said:?}"), async || {
        let ours = "--field-selector=reason=BudgetThresholdReached,involvedObject.name=alerted";
        let events = site.cluster.kubectl(&["get", "events", "-n", &site.namespace.0, ours], "").await?;
        ensure!(events.contains(said), "kubectl get events says\n{events}");
        Ok(Some(()))
    })
    .await?;
    let status = site.api::<BudgetPolicy>().get("alerted").await?.status.context("no status")?;
    let alert = status.alerts.first().context("no alert in the status")?;
    ensure!(alert.at_percent == Some(50) && alert.message.contains(said), "status.alerts has {alert:?}");
    Ok(())
}
