//! Starts and stops the process. `server.rs` serves, `source.rs` reads a mounted directory, `database.rs` looks after
//! the store, `spending.rs` after spend records, `standalone.rs` is for `fairlead up`, `probe.rs` for `helm test`, `args.rs` has the settings.

pub mod args;
mod database;
mod probe;
mod server;
mod source;
mod spending;
mod standalone;
pub mod telemetry;

pub use probe::{Probe, probe};
pub use server::{Options, RedisAt, Server, serve};
pub use source::watch_directory;
pub use standalone::{Origin, standalone_master_key, standalone_store, standalone_virtual_key};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use args::{Args, Task};

/// Runs a gateway on a mounted directory until SIGTERM or SIGINT, and then drains it.
///
/// # Errors
/// A weak master key, a port that is taken, a filter that cannot be read.
pub async fn run(args: Args) -> anyhow::Result<()> {
    if let Some(Task::Probe(task)) = args.task {
        return probe(task).await;
    }
    telemetry::init(&args.log)?;
    let shutdown = CancellationToken::new();
    let server = Server::bind(args.options()?).await?;
    let (feed, source) = watch_directory(args.config_dir, shutdown.clone());
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let signals = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
            () = shutdown.cancelled() => {}
        }
        shutdown.cancel();
    };
    let serving = async {
        let served = server.serve(feed, shutdown.clone()).await;
        shutdown.cancel();
        served
    };
    let (served, (), ()) = tokio::join!(serving, source, signals);
    served
}
