//! Runs the programs that people run: kubectl, helm, curl, python.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Longer than any `helm upgrade --wait` of ours.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs `program` to its end and returns its standard output.
///
/// # Errors
/// When it cannot start, fails (with what it said), or takes longer than five minutes.
pub async fn run(program: &str, args: &[&str], stdin: &str, env: &[(&str, PathBuf)]) -> Result<String> {
    let line = || format!("{program} {}", args.join(" "));
    let mut child = Command::new(program)
        .args(args)
        .envs(env.iter().map(|(name, value)| (*name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {program}; is it on the PATH?"))?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that wants no input may close it, and says in its status whether that was a fault.
        pipe.write_all(stdin.as_bytes()).await.ok();
    }
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await.with_context(line)??;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !output.status.success() {
        bail!("{}: {}: {}{}", line(), output.status, said(&output.stdout), said(&output.stderr).trim_end());
    }
    Ok(said(&output.stdout))
}
