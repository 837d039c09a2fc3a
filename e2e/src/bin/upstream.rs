//! Runs the provider stand-in of `e2e::standin` as a program, for the pod that the tests call their provider.

use std::net::SocketAddr;

use clap::Parser;

#[derive(Parser)]
struct Args {
    /// Where to listen.
    #[arg(long, default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    let mut ending = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    // Streams that hang on purpose would never finish, so it ends at once.
    tokio::select! {
        served = axum::serve(listener, e2e::standin::router()) => Ok(served?),
        _ = ending.recv() => Ok(()),
    }
}
