//! `fairlead simulate`: what a running gateway would do with a request, told by its admin port. Nobody is asked.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::printer;

/// What to ask, and whom.
#[derive(Debug, Args)]
pub(crate) struct SimulateArguments {
    /// The body of the request, as a client would send it; `-` is the standard input.
    request: PathBuf,
    /// The gateway's admin address: of `fairlead up`, or of a pod by `kubectl port-forward`.
    #[arg(long, env = "FAIRLEAD_ADMIN_URL", default_value = "http://127.0.0.1:4001")]
    admin: String,
    /// The endpoint that it would go to.
    #[arg(long, default_value = "/v1/chat/completions")]
    path: String,
    /// The key that it would come with: whose limits hold.
    #[arg(long, env = "FAIRLEAD_API_KEY", hide_env_values = true)]
    key: String,
}

/// As `gateway`'s `pipeline/simulate.rs` writes it.
#[derive(Debug, Deserialize)]
struct Told {
    model: String,
    key: String,
    input_tokens: u64,
    output_tokens: u64,
    limits: Vec<Limit>,
    deployments: Vec<Deployment>,
    fallbacks: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Limit {
    owner: String,
    limit: String,
    subject: Option<String>,
    unit: String,
    amount: u64,
    spent: u64,
    reserved: u64,
    asks: u64,
    fits: bool,
}

#[derive(Debug, Deserialize)]
struct Deployment {
    id: String,
    provider: String,
    upstream_model: String,
    cost_usd: Option<String>,
    left_alone_seconds: Option<f64>,
    out: Option<String>,
}

/// Why it was refused, in any of the envelopes.
#[derive(Debug, Deserialize)]
struct Refused {
    error: Message,
}

#[derive(Debug, Deserialize)]
struct Message {
    message: String,
}

/// Asks and prints.
///
/// # Errors
/// The request cannot be read, the gateway cannot be reached, or it would refuse the request.
pub(crate) async fn run(arguments: SimulateArguments) -> anyhow::Result<()> {
    let SimulateArguments { request, admin, path, key } = arguments;
    let body = read(&request)?;
    let url = format!("{}/internal/simulate", admin.trim_end_matches('/'));
    let mut url = Url::parse(&url).with_context(|| format!("--admin {admin} is no URL"))?;
    url.query_pairs_mut().append_pair("path", &path);
    let client = client().context("no connection can be made")?;
    let asked = client.post(url).bearer_auth(key).body(body).send().await;
    let answer = asked.with_context(|| format!("no gateway answers at {admin}: set --admin"))?;
    let is_good = answer.status().is_success();
    let text = answer.bytes().await.with_context(|| format!("the gateway at {admin} breaks off"))?;
    anyhow::ensure!(is_good, "it would be refused: {}", parsed::<Refused>(&text)?.error.message);
    lines(&parsed(&text)?).iter().for_each(|line| printer::line(format_args!("{line}")));
    Ok(())
}

/// For a port that speaks no TLS, on this machine most often.
fn client() -> reqwest::Result<reqwest::Client> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    builder.timeout(Duration::from_secs(30)).build()
}

fn parsed<T: DeserializeOwned>(text: &[u8]) -> anyhow::Result<T> {
    serde_json::from_slice(text).context("what answers is no gateway of this release")
}

fn read(request: &Path) -> anyhow::Result<Vec<u8>> {
    if request != Path::new("-") {
        return std::fs::read(request).with_context(|| format!("{} cannot be read", request.display()));
    }
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body).context("the standard input cannot be read")?;
    Ok(body)
}

fn lines(told: &Told) -> Vec<String> {
    let Told { model, key, input_tokens, output_tokens, .. } = told;
    let mut lines =
        vec![format!("model {model}, key {key}, at most {input_tokens} tokens in and {output_tokens} out")];
    lines.extend(told.limits.iter().map(limit));
    let places = (1..).map(|place: usize| format!("{place}."));
    lines.extend(told.deployments.iter().zip(places).map(|(one, place)| deployment(one, &place)));
    if !told.fallbacks.is_empty() {
        lines.push(format!("then {}", told.fallbacks.join(", ")));
    }
    lines
}

fn limit(limit: &Limit) -> String {
    let Limit { owner, limit, subject, unit, amount, spent, reserved, asks, fits } = limit;
    let subject = subject.as_deref().map(|subject| format!(" {subject}")).unwrap_or_default();
    let verdict = if *fits { "fits" } else { "FULL" };
    format!(
        "limit {owner} {limit}{subject}: {spent} spent, {reserved} held of {amount} {unit}; asks {asks}: {verdict}"
    )
}

fn deployment(one: &Deployment, place: &str) -> String {
    let Deployment { id, provider, upstream_model, .. } = one;
    let cost = one.cost_usd.as_deref().map(|cost| format!(", at most ${cost}")).unwrap_or_default();
    let alone =
        one.left_alone_seconds.map(|left| format!(", left alone for {left:.0} s")).unwrap_or_default();
    let place = if one.out.is_some() { "out:" } else { place };
    let why = one.out.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{place} {id} ({provider} {upstream_model}{cost}{alone}){why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_reads_well() {
        let told = br#"{"model":"m","key":"ai/ci","input_tokens":10,"output_tokens":100,"fallbacks":["a","b"],
            "limits":[{"owner":"ai/teams","limit":"usd","subject":"team:red","unit":"nano_usd","amount":100,"spent":60,
            "reserved":5,"asks":40,"fits":false}],
            "deployments":[{"id":"ai/d1","provider":"openai","upstream_model":"gpt-4o","cost_usd":"0.001"},
            {"id":"ai/d0","provider":"azure","upstream_model":"x","left_alone_seconds":24.4},
            {"id":"ai/d2","provider":"azure","upstream_model":"y","out":"the condition of its target does not hold"}]}"#;
        let lines = lines(&parsed(told).expect("as written"));
        assert_eq!(
            lines,
            [
                "model m, key ai/ci, at most 10 tokens in and 100 out",
                "limit ai/teams usd team:red: 60 spent, 5 held of 100 nano_usd; asks 40: FULL",
                "1. ai/d1 (openai gpt-4o, at most $0.001)",
                "2. ai/d0 (azure x, left alone for 24 s)",
                "out: ai/d2 (azure y): the condition of its target does not hold",
                "then a, b",
            ]
        );
    }
}
