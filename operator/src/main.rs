//! The operator's process. Everything is in the library, starting at `boot.rs`.

use std::process::ExitCode;

use clap::Parser as _;
use operator::{Args, boot};

fn main() -> ExitCode {
    match boot::run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
