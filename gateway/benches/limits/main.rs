//! What limits cost a request: `make bench-limits`. The real binary between a stand-in provider and a load generator, its
//! CPU time as the kernel counts it: with the master key and no limits at all, and with virtual keys whose requests are
//! counted six times, far from every limit and near one. Rounds are interleaved, so that all of them see the same machine.
//! Prints one line for each case; `report` writes the document. `setup.rs` has the configs.

mod setup;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::routing::post;
use futures::future::try_join_all;
use tempfile::TempDir;

use setup::{FAR, MASTER, NEAR};

const ROUNDS: usize = 5;
const REQUESTS: usize = 20_000;
const CONNECTIONS: usize = 32;

/// As `scripts/services up` brings it.
const REDIS: &str = "redis://127.0.0.1:54379";

const BODY: &str = r#"{"model":"gpt","max_tokens":400,"messages":[{"role":"user","content":"Tell me about families, please, at some length."}]}"#;

/// One kind of traffic.
struct Case<'a> {
    name: &'static str,
    gateway: &'a Gateway,
    key: &'static str,
    rounds: Vec<Round>,
}

/// Of one request, on average.
#[derive(Clone, Copy)]
struct Round {
    cpu_us: f64,
    wall_us: f64,
    scripts: f64,
}

fn main() -> Result<()> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<()> {
    let provider = provider().await?;
    let place = TempDir::new()?;
    let space = format!("bench/{:032x}", rand::random::<u128>());
    let plain = Gateway::start(&place.path().join("plain"), &setup::plain(provider)?, None)?;
    let shared = Gateway::start(&place.path().join("shared"), &setup::limited(provider)?, Some(&space))?;
    let alone = Gateway::start(&place.path().join("alone"), &setup::limited(provider)?, None)?;
    let case = |name, gateway, key| Case { name, gateway, key, rounds: Vec::new() };
    let mut cases = [
        case("master", &plain, MASTER),
        case("far", &shared, FAR),
        case("near", &shared, NEAR),
        case("alone", &alone, FAR),
    ];
    for round in 0..=ROUNDS {
        for case in &mut cases {
            let measured = case.run().await.with_context(|| case.name)?;
            // The first warms up.
            if round > 0 {
                case.rounds.push(measured);
            }
        }
    }
    let mut out = std::io::stdout();
    for case in &cases {
        let of = |pick: fn(&Round) -> f64| median(case.rounds.iter().map(pick).collect());
        let (cpu, wall, scripts) = (of(|it| it.cpu_us), of(|it| it.wall_us), of(|it| it.scripts));
        writeln!(out, "{} {cpu:.2} {wall:.2} {scripts:.4}", case.name)?;
    }
    Ok(())
}

impl Case<'_> {
    async fn run(&self) -> Result<Round> {
        let (cpu, asked, started) = (self.gateway.cpu_ns()?, scripts()?, Instant::now());
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://{}/v1/chat/completions", self.gateway.address);
        let worker = async || {
            for _ in 0..REQUESTS / CONNECTIONS {
                let answer = client.post(&url).bearer_auth(self.key).body(BODY).send().await?;
                let status = answer.status();
                let text = answer.text().await?;
                ensure!(status == 200 && text.contains("unhappy family"), "{status}: {text}");
            }
            Ok(())
        };
        try_join_all((0..CONNECTIONS).map(|_| worker())).await?;
        #[expect(clippy::cast_precision_loss, reason = "averages")]
        let each = |whole: u64| whole as f64 / REQUESTS as f64;
        let wall = u64::try_from(started.elapsed().as_nanos())?;
        Ok(Round {
            cpu_us: each(self.gateway.cpu_ns()? - cpu) / 1000.0,
            wall_us: each(wall) / 1000.0,
            scripts: each(scripts()? - asked),
        })
    }
}

/// A gateway in a process of its own. Dropped, it is killed.
struct Gateway {
    child: Child,
    address: SocketAddr,
}

impl Gateway {
    fn start(place: &Path, delivery: &config::Delivery, space: Option<&str>) -> Result<Self> {
        setup::write(place, delivery)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_fairlead-gateway"));
        command.env_clear().args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        // Each request's line in the log costs both the same, and is not what is measured.
        command.args(["--log", "info,fairlead::access=off"]).arg("--config-dir").arg(place);
        if let Some(space) = space {
            command.env("FAIRLEAD_REDIS_URL", REDIS).args(["--limits-space", space]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("a pipe")?).lines();
        let address = started(lines)?;
        Ok(Self { child, address })
    }

    /// All that its threads have used.
    fn cpu_ns(&self) -> Result<u64> {
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            sum += text.split(' ').next().context("no number")?.parse::<u64>()?;
        }
        Ok(sum)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Where it listens, once it serves. What it says later is read and thrown away.
fn started(mut lines: impl Iterator<Item = std::io::Result<String>> + Send + 'static) -> Result<SocketAddr> {
    let mut address = None;
    for line in lines.by_ref() {
        let line = line?;
        if let Some(rest) = line.split("\"listen\":\"Some(").nth(1) {
            address = rest.split(')').next().map(str::parse).transpose()?;
        }
        if line.contains("config serves") {
            break;
        }
    }
    std::thread::spawn(move || lines.for_each(drop));
    address.context("the gateway does not say where it listens")
}

/// A provider whose answers have 1.5 kB.
async fn provider() -> Result<SocketAddr> {
    let text = "All happy families are alike; each unhappy family is unhappy in its own way. ".repeat(16);
    let answer = serde_json::json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_608_000, "model": "gpt-4o",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 300, "total_tokens": 320},
    })
    .to_string();
    let app = Router::new().route(
        "/v1/chat/completions",
        post(move || {
            let answer = answer.clone();
            async move { ([("content-type", "application/json")], answer) }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { axum::serve(listener, app).await.context("the provider") })
    });
    Ok(address)
}

/// Scripts that Redis has run.
fn scripts() -> Result<u64> {
    let said = Command::new("redis-cli").args(["-u", REDIS, "info", "commandstats"]).output()?;
    let said = String::from_utf8(said.stdout)?;
    let calls = said.lines().filter(|line| line.starts_with("cmdstat_eval"));
    Ok(calls.filter_map(|line| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok()).sum())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
