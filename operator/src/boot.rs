//! Puts the process together: settings, logs, TLS, the client, the tasks, and the order in which they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use axum::http::{HeaderValue, header};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

use crate::acknowledge;
use crate::args::Args;
use crate::board::Board;
use crate::events;
use crate::freshness::Pulses;
use crate::index::SharedIndex;
use crate::leader::{self, Context};
use crate::lease::{Candidacy, LeaseKeeper};
use crate::metrics::Metrics;
use crate::probes::{self, Probes};
use crate::usage::Readings;
use crate::watches::Watches;

/// How often it is looked whether the first lists are complete.
const SYNC_POLL: Duration = Duration::from_millis(20);

/// The tasks and how they are told to stop, in this order.
struct Process {
    tasks: TaskTracker,
    /// Ends the leadership.
    lead: CancellationToken,
    /// Ends all else: watches, lease, probes, events.
    rest: CancellationToken,
}

/// Runs the operator until SIGTERM or SIGINT.
///
/// # Errors
/// What keeps it from starting.
pub fn run(args: Args) -> anyhow::Result<()> {
    start_logs(&args.log)?;
    // Both TLS users, kube and reqwest, take the process's provider; a second installation is no harm.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed already");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(Box::pin(serve(args)))
}

fn start_logs(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("--log is not a tracing filter")?;
    // When kube cannot read an answer it logs the whole of it, and that could be a Secret.
    let filter = filter.add_directive("kube_client::client=off".parse()?);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

async fn serve(args: Args) -> anyhow::Result<()> {
    let client = client().await?;
    let process =
        Process { tasks: TaskTracker::new(), lead: CancellationToken::new(), rest: CancellationToken::new() };
    let (index, pulses, metrics) = (SharedIndex::default(), Pulses::default(), Metrics::new());
    let scope = Arc::new(args.scope());
    let stopping = Arc::new(AtomicBool::new(false));
    let watches = Watches {
        client: client.clone(),
        index: index.clone(),
        pulses: pulses.clone(),
        tasks: process.tasks.clone(),
        stop: process.rest.clone(),
    };
    watches.start(&scope);
    let probes = Probes { pulses: pulses.clone(), metrics: metrics.clone(), stopping: Arc::clone(&stopping) };
    process.serve_probes(&args, probes).await?;
    let (herald, messenger) = events::channel(client.clone(), &args, metrics.clone());
    process.tasks.spawn(messenger.run(process.rest.clone()));
    let (until, leadership) = watch::channel(None);
    let context = Context {
        index,
        board: Board::new(),
        readings: Readings::default(),
        metrics,
        scope,
        leadership,
        herald,
        clock: Timestamp::now,
        http: acknowledge::client()?,
        admin_port: args.gateway_admin_port,
        client: client.clone(),
    };
    let keeper = LeaseKeeper::new(client, &args, Timestamp::now);
    let leading = process.lead_when_synced(context, keeper, pulses, until);
    terminated().await?;
    tracing::info!("stopping");
    stopping.store(true, Ordering::Relaxed);
    process.lead.cancel();
    leading.await?;
    process.rest.cancel();
    process.tasks.close();
    process.tasks.wait().await;
    Ok(())
}

/// In a cluster by its service account, else by a kubeconfig.
async fn client() -> anyhow::Result<Client> {
    let found = kube::Config::infer().await;
    let mut config = found.context("no Kubernetes API: neither in a cluster nor a kubeconfig")?;
    // So that an audit log tells the operator from the rest.
    let agent = HeaderValue::from_static(concat!("fairlead-operator/", env!("CARGO_PKG_VERSION")));
    config.headers.push((header::USER_AGENT, agent));
    Ok(Client::try_from(config)?)
}

impl Process {
    async fn serve_probes(&self, args: &Args, probes: Probes) -> anyhow::Result<()> {
        let listener = TcpListener::bind(args.listen)
            .await
            .with_context(|| format!("cannot listen on {}", args.listen))?;
        let stop = self.rest.clone();
        self.tasks.spawn(async move {
            let served =
                axum::serve(listener, probes::router(probes)).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = served.await {
                tracing::error!("probes ended: {error}");
            }
        });
        Ok(())
    }

    /// Competes for the lease once the index is complete: a leader of half an index would unpublish the rest.
    fn lead_when_synced(
        &self,
        context: Context,
        keeper: LeaseKeeper,
        pulses: Pulses,
        until: watch::Sender<Option<tokio::time::Instant>>,
    ) -> tokio::task::JoinHandle<()> {
        let (lead, rest) = (self.lead.clone(), self.rest.clone());
        self.tasks.spawn(async move {
            if lead.run_until_cancelled(synced(&pulses)).await.is_none() {
                return;
            }
            tracing::info!("index complete");
            let renewing = TaskTracker::new();
            let (renewer, renew) = (keeper.clone(), rest.child_token());
            let candidacy = Candidacy { keeper, renewing: renew.clone() };
            renewing.spawn(async move { renew.run_until_cancelled(renewer.run(&until)).await });
            leader::run(context, candidacy, lead).await;
            renewing.close();
            renewing.wait().await;
        })
    }
}

async fn synced(pulses: &Pulses) {
    while !pulses.all_synced() {
        tokio::time::sleep(SYNC_POLL).await;
    }
}

async fn terminated() -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
