//! `fairlead-gateway probe`: one request from inside the image, which has no shell and no curl. For `helm test`
//! and for people who look for a fault.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use reqwest::Client;

/// Asks a URL and tells by the exit code whether it answered well.
#[derive(Clone, Debug, Args)]
pub struct Probe {
    /// The environment variable that holds the key to send.
    #[arg(long)]
    pub bearer_env: Option<String>,
    /// Asks this model by POST instead of GET; the URL is that of the chat completions.
    #[arg(long)]
    pub post_chat: Option<String>,
    /// What to ask.
    pub url: String,
}

/// A gateway that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks, and prints the answer's body.
///
/// # Errors
/// No answer, or one that is no success.
pub async fn probe(probe: Probe) -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = Client::builder().timeout(PATIENCE).build().context("cannot make a client")?;
    let mut request = match &probe.post_chat {
        Some(model) => {
            let message = serde_json::json!([{"role": "user", "content": "Are you there?"}]);
            client.post(&probe.url).json(&serde_json::json!({"model": model, "messages": message}))
        }
        None => client.get(&probe.url),
    };
    if let Some(name) = &probe.bearer_env {
        request = request.bearer_auth(variable(name)?);
    }
    let answer = request.send().await.with_context(|| format!("no answer from {}", probe.url))?;
    let (status, body) = (answer.status(), answer.bytes().await.context("the answer was cut")?);
    let mut out = std::io::stdout().lock();
    out.write_all(&body).and_then(|()| out.write_all(b"\n")).context("cannot print the answer")?;
    anyhow::ensure!(status.is_success(), "{} answered with status {status}", probe.url);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the argument names the variable, so a flag cannot read it")]
fn variable(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("environment variable {name} is not set"))
}
