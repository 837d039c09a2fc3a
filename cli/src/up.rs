//! `fairlead up DIR`: files -> render -> config -> gateway in one process, again at every change.

mod keys;
mod reload;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use config::{ObjectName, Secret};
use gateway::boot::{standalone_master_key, standalone_store};
use gateway::{Dns, Options, Server, SpoolOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::keys::Issuer;
use self::reload::{Loader, follow};
use crate::printer;

#[derive(Args, Debug)]
pub(crate) struct UpArguments {
    /// The folder: the same YAML that `kubectl apply` takes. Secrets may say `env:NAME` for a value.
    pub folder: PathBuf,
    /// Where clients are served.
    #[arg(long, env = "FAIRLEAD_LISTEN", default_value = "127.0.0.1:4000")]
    pub listen: SocketAddr,
    /// Where metrics and probes are served.
    #[arg(long, env = "FAIRLEAD_ADMIN_LISTEN", default_value = "127.0.0.1:4001")]
    pub admin_listen: SocketAddr,
    /// Where the master key and all that lasts is kept.
    #[arg(long, env = "FAIRLEAD_DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
    /// Which ModelGateway to serve, as `name` or `namespace/name`. Needed where the folder has several.
    #[arg(long)]
    pub gateway: Option<String>,
    /// What to log besides the access log, as a `tracing` filter.
    #[arg(long, env = "FAIRLEAD_LOG", default_value = "warn,fairlead::access=info")]
    pub log: String,
    /// The master key, for folders whose ModelGateway names none. Without it, one is made and kept.
    #[arg(long, env = "FAIRLEAD_MASTER_KEY", hide_env_values = true, hide = true)]
    pub master_key: Option<String>,
}

pub(crate) async fn serve(arguments: UpArguments) -> anyhow::Result<()> {
    anyhow::ensure!(arguments.folder.is_dir(), "{} is not a folder", arguments.folder.display());
    gateway::telemetry::init(&arguments.log)?;
    let wanted = arguments.gateway.as_deref().map(object_name);
    let store = standalone_store(&arguments.data_dir).await?;
    let issuer = Issuer::new(store.clone());
    let mut loader = Loader::new((arguments.folder.clone(), arguments.data_dir.clone()), wanted, issuer);
    let (feed, first) = loader.start().await?;
    let key = match &arguments.master_key {
        Some(key) => key.clone().into_bytes(),
        None => standalone_master_key(&store).await?.0.expose().to_vec(),
    };
    let options = Options {
        listen: arguments.listen,
        admin_listen: arguments.admin_listen,
        master_key: Some(Secret::new(key.clone())),
        store: Some(store),
        spool: Some(SpoolOptions { folder: arguments.data_dir.join("spool"), bytes: 1 << 30, syncs: false }),
        keeps_spend: None,
        dns: Dns::default(),
        drain_delay: Duration::ZERO,
        redis: None,
        drain_timeout: Duration::from_secs(10),
    };
    let server = Server::bind(options).await?;
    let shown = std::str::from_utf8(&key).ok().filter(|_| first.needs_master_key);
    printer::welcome(server.listen()?, shown, first.model.as_deref());
    loader.tell_keys();
    let shutdown = CancellationToken::new();
    let following = follow(loader, shutdown.clone())?;
    let serving = async {
        let served = server.serve(feed, shutdown.clone()).await;
        shutdown.cancel();
        served
    };
    let (served, followed, stopped) = tokio::join!(serving, following, stop_on_signal(shutdown.clone()));
    served.and(followed).and(stopped)
}

fn object_name(text: &str) -> ObjectName {
    let (namespace, name) = text.split_once('/').unwrap_or(("default", text));
    ObjectName { namespace: namespace.into(), name: name.into() }
}

async fn stop_on_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
        () = shutdown.cancelled() => return Ok(()),
    }
    printer::complaint(format_args!("stopping: running requests may finish"));
    shutdown.cancel();
    Ok(())
}
