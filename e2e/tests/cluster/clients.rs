//! The clients that people have: OpenAI's SDK for Python, from PyPI, and curl.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::cluster::run;

use crate::scenario::World;

pub(crate) async fn the_openai_sdk_works(world: &World) -> Result<()> {
    let site = &world.site;
    let models = [
        ("sdk-plain", "gpt-sdk"),
        ("sdk-slow", "slow-stream-5x100ms"),
        ("sdk-tools", "tools"),
        ("sdk-busy", "fail-429"),
        ("sdk-bad", "fail-400"),
        ("sdk-broken", "fail-500"),
        ("sdk-cut", "cut-stream"),
    ];
    let yaml: Vec<String> = models.iter().map(|(name, upstream)| site.deployment(name, upstream)).collect();
    site.apply(&yaml.join("---\n")).await?;
    for (name, _) in models {
        site.programmed(name).await?;
    }
    let python = sdk(&world.cache).await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/openai_client.py");
    let script = script.to_str().context("the checkout's path is no text")?;
    let base = PathBuf::from(format!("{}/v1", site.service.url));
    let env =
        [("OPENAI_BASE_URL", base), ("OPENAI_API_KEY", PathBuf::from(&site.key)), ("NO_PROXY", "*".into())];
    let said = run(&python, &[script], "", &env).await?;
    ensure!(said.trim_end().ends_with("all well"), "the script said {said}");
    Ok(())
}

/// Python with the SDK, installed once per cache.
async fn sdk(cache: &Path) -> Result<String> {
    let folder = cache.join("openai-sdk");
    let python = folder.join("bin/python").display().to_string();
    if run(&python, &["-c", "import openai"], "", &[]).await.is_err() {
        let folder = folder.display().to_string();
        run("python3", &["-m", "venv", "--clear", &folder], "", &[]).await?;
        run(&python, &["-m", "pip", "install", "--quiet", "openai"], "", &[]).await?;
    }
    Ok(python)
}

pub(crate) async fn curl_shows_a_stream_as_it_comes(world: &World) -> Result<()> {
    let site = &world.site;
    site.serve("curled", &site.deployment("curled", "slow-stream-20x100ms")).await?;
    let url = format!("{}/v1/chat/completions", site.service.url);
    let key = format!("Authorization: Bearer {}", site.key);
    let body = r#"{"model": "curled", "stream": true, "messages": [{"role": "user", "content": "hi"}]}"#;
    let times = "\nfirst byte %{time_starttransfer}, all %{time_total}\n";
    let options = ["-N", "-sS", "--fail-with-body", "--noproxy", "*", "-w", times];
    let request = ["-H", &key, "-H", "Content-Type: application/json", "-d", body, &url];
    let args: Vec<&str> = options.iter().chain(&request).copied().collect();
    let said = run("curl", &args, "", &[]).await?;
    let events = said.lines().filter(|line| line.starts_with("data: ")).count();
    ensure!(events == 23, "20 words, a start, an end and [DONE] are due, not {events}: {said}");
    let seconds = |name: &str| -> Result<f64> {
        let (_, rest) = said.rsplit_once(name).with_context(|| format!("no {name} in {said}"))?;
        let number = rest.trim_start().split([',', '\n']).next().unwrap_or_default();
        Ok(number.trim().parse()?)
    };
    let (first, all) = (seconds("first byte")?, seconds(", all")?);
    ensure!(first < 1.0 && all > 2.0, "the first byte came after {first} s and the last after {all} s");
    Ok(())
}
