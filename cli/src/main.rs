//! `fairlead`, the people's binary: `up` serves a folder of manifests on this machine, `check` says what is
//! wrong with one. Both read it with `folder.rs` and render it with the operator's own renderer. `simulate` says what a
//! running gateway would do with a request.

mod check;
mod folder;
mod printer;
mod simulate;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(version, about = "An LLM gateway for Kubernetes, on your machine.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a folder of manifests, and follow its changes.
    Up(up::UpArguments),
    /// Say what is wrong with a folder of manifests. Exit code 1 if anything is.
    Check {
        /// The folder: the same YAML that `kubectl apply` takes.
        folder: PathBuf,
    },
    /// Say what a running gateway would do with a request: whom it would ask, in which order, against which limits.
    Simulate(simulate::SimulateArguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            printer::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(arguments) => {
            let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
            runtime.block_on(up::serve(arguments)).map(|()| ExitCode::SUCCESS)
        }
        Command::Simulate(arguments) => {
            let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
            runtime.block_on(simulate::run(arguments)).map(|()| ExitCode::SUCCESS)
        }
        Command::Check { folder } => {
            anyhow::ensure!(folder.is_dir(), "{} is not a folder", folder.display());
            let problems = check::problems(&folder);
            printer::problems(&problems);
            if problems.is_empty() {
                printer::line(format_args!("{}: no findings", folder.display()));
            }
            Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
