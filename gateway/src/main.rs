//! `fairlead-gateway`: the pod's process. Reads its config from a mounted directory.

use std::process::ExitCode;

use clap::Parser;
use gateway::boot::args::Args;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    match gateway::boot::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Telemetry may be what failed, so this goes past it.
            eprintln!("fairlead-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}
