//! How long an edit takes to be served: from the apply of a changed ModelDeployment to the first answer under the new
//! config on every gateway pod, at 100 models and at 1,000, while other models are asked without a pause. Prints a table
//! and writes it to a file.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use crds::{ConditionType, ModelDeployment, ModelGateway};
use e2e::calls::{Caller, Reuse};
use e2e::cluster::Cluster;
use e2e::load::{Habit, Load, Tally};
use e2e::site::{LATER, Site, reached};
use e2e::wait;
use futures::future::try_join_all;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::json;

/// How often a pod is asked while an edit is on its way.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Parser)]
struct Args {
    /// The cluster to use.
    #[arg(long, env = "KUBECONFIG")]
    kubeconfig: PathBuf,
    /// Where `e2e/cluster` keeps the cluster that it makes.
    #[arg(long, env = "FAIRLEAD_CLUSTER_DIR", default_value = "/var/tmp/fairlead-cluster")]
    state: PathBuf,
    /// More values of the chart.
    #[arg(long)]
    set: Vec<String>,
    /// Where the table goes.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/propagation.md"))]
    to: PathBuf,
    /// How many edits each row takes.
    #[arg(long, default_value_t = 50)]
    edits: usize,
    /// The rows.
    #[arg(long, value_delimiter = ',', default_value = "100,1000")]
    models: Vec<usize>,
}

/// When the next edit is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// At any moment of the three seconds after the last one served, as people and pipelines do.
    Apart,
    /// As soon as the last one serves. The kubelet syncs a pod once a second, so each waits for the next second.
    BackToBack,
}

struct Row {
    models: usize,
    pace: Pace,
    pods: usize,
    times: Vec<Duration>,
    others: Tally,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let site = Site::install(Cluster::connect(&args.kubeconfig, &args.state).await?, &args.set).await?;
    let mut rows = Vec::new();
    for models in &args.models {
        prepare(&site, *models).await?;
        for pace in [Pace::Apart, Pace::BackToBack] {
            rows.push(measure(&site, *models, pace, args.edits).await?);
        }
    }
    site.remove().await?;
    let table = table(&rows)?;
    eprintln!("{table}");
    std::fs::create_dir_all(args.to.parent().context("no folder")?)?;
    std::fs::write(&args.to, table).with_context(|| args.to.display().to_string())?;
    for row in &rows {
        ensure!(row.others.failed == 0, "requests to other models failed: {:#?}", row.others.failures);
        let (p50, p99) = (quantile(&row.times, 0.50), quantile(&row.times, 0.99));
        let typical = if row.pace == Pace::Apart { 700 } else { 1_200 };
        let fast = p50 < Duration::from_millis(typical) && p99 < Duration::from_secs(2);
        ensure!(fast, "at {} models, {:?}, p50 is {p50:?} and p99 {p99:?}", row.models, row.pace);
    }
    Ok(())
}

async fn prepare(site: &Site, models: usize) -> Result<()> {
    eprintln!("{models} models");
    for first in (0..models).step_by(100) {
        let some = first..models.min(first + 100);
        let yaml: Vec<String> = some.map(|n| site.deployment(&format!("model-{n}"), "gpt-start")).collect();
        let apply = ["apply", "--server-side", "--force-conflicts", "-n", &site.namespace.0, "-f", "-"];
        site.cluster.kubectl(&apply, &yaml.join("---\n")).await?;
    }
    let served = i64::try_from(models + 1)?;
    wait::until_true(LATER, "every model to be served", async || {
        let gateway = site.api::<ModelGateway>().get("main").await?;
        Ok(gateway.status.and_then(|status| status.models).is_some_and(|now| now.served == served))
    })
    .await?;
    reached(
        &site.api::<ModelDeployment>(),
        &format!("model-{}", models - 1),
        ConditionType::Programmed,
        LATER,
    )
    .await?;
    Ok(())
}

async fn measure(site: &Site, models: usize, pace: Pace, edits: usize) -> Result<Row> {
    let ways = site.pod_callers().await?;
    let plain =
        |model: &str, reuse| Habit::Plain { model: model.into(), reuse, pause: Duration::from_millis(20) };
    let last = format!("model-{}", models - 1);
    let habits = [plain("hello", Reuse::KeepAlive), plain(&last, Reuse::Never)];
    let load = Load::start(&site.service.url, &site.key, &habits)?;
    let mut times = Vec::new();
    for edit in 0..edits {
        if pace == Pace::Apart {
            // Evenly spread, in an order that has nothing to do with anything.
            wait::watch_idle(Duration::from_millis(u64::try_from(edit * 1_117 % 3_000)?)).await;
        }
        // Spread over the models, so that every shard has its turn; the last one is asked by the load.
        let model = format!("model-{}", edit * 37 % (models - 1));
        let took = propagate(site, &ways, &model, &format!("gpt-{models}-{pace:?}-{edit}")).await?;
        eprintln!("  {pace:?} edit {edit}: {} ms", took.as_millis());
        times.push(took);
    }
    times.sort();
    Ok(Row { models, pace, pods: ways.len(), times, others: load.finish().await })
}

/// From the apply to the first answer under the new config on the last pod.
async fn propagate<W>(
    site: &Site,
    pods: &[(Caller, W)],
    model: &str,
    upstream_model: &str,
) -> Result<Duration> {
    let gvk = GroupVersionKind::gvk(crds::GROUP, "v1alpha1", "ModelDeployment");
    let resource = ApiResource::from_gvk_with_plural(&gvk, "modeldeployments");
    let api: kube::Api<DynamicObject> =
        kube::Api::namespaced_with(site.cluster.client.clone(), &site.namespace.0, &resource);
    let namespace = &site.namespace.0;
    let manifest = json!({
        "apiVersion": "fairlead.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": model},
        "spec": {
            "gatewayRef": {"name": "main", "namespace": namespace}, "modelName": model,
            "provider": {
                "type": "custom", "model": upstream_model,
                "baseURL": format!("http://upstream.{namespace}.svc:8080/v1"),
            },
        },
    });
    let started = Instant::now();
    api.patch(model, &PatchParams::apply("kubectl").force(), &Patch::Apply(&manifest)).await?;
    let expected = format!("I am {upstream_model}.");
    let all = pods.iter().map(|(caller, _)| async {
        while caller.ask(model).await?.content()? != expected {
            ensure!(
                started.elapsed() < Duration::from_secs(60),
                "{} never served {upstream_model}",
                caller.base()
            );
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    });
    try_join_all(all).await?;
    Ok(started.elapsed())
}

fn quantile(sorted: &[Duration], share: f64) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "few"
    )]
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn table(rows: &[Row]) -> Result<String> {
    let mut text = String::from(
        "# How long an edit takes to be served

From the server-side apply of a changed ModelDeployment to the first answer under the new config on every gateway pod,
while other models are asked without a pause. Written by `make bench-propagation` on the one-node cluster of
`e2e/cluster`, two cores shared by the control plane, the operator, the gateways and the load.

Edits that come apart are the usual case. Back to back is the worst one: a kubelet syncs a pod at most once a second, so
an edit that is made right after another waits for the next second.

| models | edits come | pods | edits | p50 | p99 | max | calls to other models | failed |
| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
",
    );
    for row in rows {
        let ms = |time: Duration| format!("{} ms", time.as_millis());
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.models,
            if row.pace == Pace::Apart { "0-3 s apart" } else { "back to back" },
            row.pods,
            row.times.len(),
            ms(quantile(&row.times, 0.50)),
            ms(quantile(&row.times, 0.99)),
            ms(row.times.last().copied().unwrap_or_default()),
            row.others.good + row.others.failed,
            row.others.failed
        )?;
    }
    Ok(text)
}
