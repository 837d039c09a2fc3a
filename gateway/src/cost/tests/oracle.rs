//! Compares with a second computation in Python, straight from the price file. It runs over every model where
//! `FAIRLEAD_PRICES` names the wheel that the table was made from (`make prices` fetches it), and over recorded
//! answers where `FAIRLEAD_CORPUS` names their folder too.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use catalogue::{Dialect, prices};
use protocol::dialects::Echo;
use protocol::exchange::{Exchange, Judged};
use protocol::frames::sse::Splitter;
use protocol::passage::{Ending, UsageFrame};
use serde_json::{Value, json};

use super::super::*;

/// Lengths of prompts on both sides of every threshold in use.
const PROMPTS: [u64; 12] =
    [1, 32_000, 100_001, 127_999, 128_000, 128_001, 200_000, 200_001, 256_001, 272_001, 512_001, 3_000_000];

#[test]
fn every_model_costs_what_the_price_file_says() {
    let Some(wheel) = std::env::var_os("FAIRLEAD_PRICES") else {
        println!("not compared: FAIRLEAD_PRICES names no wheel");
        return;
    };
    // Another number for each meter, so that none can stand for another.
    let used: Vec<_> =
        Meter::ALL.iter().zip((1_001..).step_by(7)).map(|((meter, _), units)| (*meter, units)).collect();
    let named = used.iter().zip(Meter::ALL).map(|((_, units), (_, word))| (word.to_owned(), (*units).into()));
    let named: serde_json::Map<_, _> = named.collect();
    let (mut questions, mut ours) = (vec![json!({"used": named})], vec![0]);
    for name in prices::names() {
        let price = prices::listing(name).unwrap().price.unwrap_or_default();
        let is_plain = price.entries().iter().all(|entry| entry.tier == Tier::Standard && entry.above == 0);
        for (tier, word) in Tier::ALL {
            // One length will do where ours are all the same: theirs would differ at the greatest.
            for prompt in PROMPTS.into_iter().skip(if is_plain { PROMPTS.len() - 1 } else { 0 }) {
                questions.push(json!({"name": name, "tier": word, "prompt": prompt}));
                ours.push(sum(&price, &used, tier, prompt).nano());
            }
        }
    }
    let theirs = ask(Path::new(&wheel), &questions);
    let wrong =
        questions.iter().zip(&ours).zip(&theirs).filter(|((_, ours), theirs)| theirs["nano"] != **ours);
    let wrong: Vec<_> = wrong
        .map(|((q, ours), theirs)| {
            format!("{} {} {}: {ours}, not {}", q["name"], q["tier"], q["prompt"], theirs["nano"])
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ: {:#?}",
        wrong.len(),
        ours.len(),
        wrong.iter().take(20).collect::<Vec<_>>()
    );
    println!("compared: {} costs of {} models", ours.len(), prices::names().count());
}

#[test]
fn every_recorded_answer_costs_what_the_price_file_says() {
    let (Some(wheel), Some(corpus)) =
        (std::env::var_os("FAIRLEAD_PRICES"), std::env::var_os("FAIRLEAD_CORPUS"))
    else {
        println!("not compared: FAIRLEAD_PRICES and FAIRLEAD_CORPUS name no wheel and no recordings");
        return;
    };
    let (mut questions, mut ours) = (Vec::new(), Vec::new());
    for file in recordings(Path::new(&corpus)) {
        let exchange: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let Some((provider, model, usage)) = answered(&exchange) else { continue };
        let price = prices::find(provider, &model).and_then(|listing| listing.price);
        let cost = usage.zip(price).map(|(usage, price)| cost(&price, &usage).nano());
        ours.push(json!({"nano": cost, "told": usage.and_then(|usage| usage.billed_nano_dollars)}));
        questions.push(json!({"file": file, "provider": provider, "model": model}));
    }
    let theirs = ask(Path::new(&wheel), &questions);
    let wrong = questions.iter().zip(&ours).zip(&theirs).filter(|((_, ours), theirs)| ours != theirs);
    let wrong: Vec<_> =
        wrong.map(|((question, ours), theirs)| format!("{question}: {ours}, not {theirs}")).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ: {:#?}",
        wrong.len(),
        ours.len(),
        wrong.iter().take(20).collect::<Vec<_>>()
    );
    let priced = ours.iter().filter(|ours| !ours["nano"].is_null()).count();
    assert!(priced > ours.len() / 2, "of {} answers only {priced} have a price", ours.len());
    let told = ours.iter().filter(|ours| !ours["told"].is_null()).count();
    println!("compared: {} answers, {priced} with a price, {told} with a bill", ours.len());
}

/// The answers of the oracle, in order.
fn ask(wheel: &Path, questions: &[Value]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/prices/oracle.py");
    let (input, output) = (tempfile::tempfile().unwrap(), Command::new("python3"));
    let (mut input, mut python) = (input, output);
    for question in questions {
        writeln!(input, "{question}").unwrap();
    }
    std::io::Seek::rewind(&mut input).unwrap();
    let run = python.arg(script).arg(wheel).stdin(input).stderr(Stdio::inherit()).output().unwrap();
    assert!(run.status.success(), "the oracle failed");
    let answers: Vec<Value> = run
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(answers.len(), questions.len());
    answers
}

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(recordings(&path));
        } else if path.extension().is_some_and(|end| end == "json")
            && path.file_name().is_some_and(|name| name != "index.json")
        {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The provider's id in the table, the model that was asked, and what the gateway makes of the usage; `None` for what
/// is no good answer in a language that it speaks.
fn answered(exchange: &Value) -> Option<(&str, String, Option<Usage>)> {
    let dialect = match exchange["kind"].as_str()? {
        "chat" => Dialect::OpenaiChat,
        "completions" => Dialect::OpenaiCompletions,
        "messages" => Dialect::Anthropic,
        "generate_content" => Dialect::Gemini,
        "responses" => Dialect::OpenaiResponses,
        _ => return None,
    };
    let (request, response) = (&exchange["request"], &exchange["response"]);
    if response["status"] != 200 {
        return None;
    }
    let echo = Echo { model: "m".into(), id: "i".into(), created: 0, stream_usage: true };
    let usage_frame = UsageFrame::Passed;
    let exchange_ = Exchange { client: dialect, provider: dialect, echo, usage_frame, stamp: None };
    let usage = if response["framing"] == "sse" {
        let text: String = response["chunks"].as_array()?.iter().filter_map(Value::as_str).collect();
        streamed(&exchange_, &text)
    } else {
        let body = response.get("body").filter(|body| body.is_object())?;
        let Judged::Answer { usage, .. } = exchange_.judge(body.to_string().into()) else { return None };
        usage
    };
    Some((provider(exchange["provider"].as_str()?), model(request)?, usage))
}

fn streamed(exchange: &Exchange, text: &str) -> Option<Usage> {
    let (mut passage, mut splitter) = (exchange.passage(), Splitter::new(1 << 26));
    splitter.push(text.as_bytes());
    while let Some(frame) = splitter.next_frame().unwrap() {
        passage.frame(frame);
    }
    // Some recordings end early, or in an error: what was told until then counts.
    passage.end(Ending::Clean(splitter.finish())).ok();
    passage.seen().usage
}

/// The recordings have short names.
fn provider(name: &str) -> &str {
    match name {
        "vertex" => "vertex_ai",
        "together" => "together_ai",
        "vercel_gateway" => "vercel_ai_gateway",
        "venice" => "veniceai",
        other => other,
    }
}

fn model(request: &Value) -> Option<String> {
    let named = request["body"]["model"].as_str().map(str::to_owned);
    named.or_else(|| {
        let (_, rest) = request["path"]
            .as_str()?
            .split_once("/models/")
            .or_else(|| request["path"].as_str()?.split_once("/deployments/"))?;
        rest.split(['/', ':', '?']).next().map(str::to_owned)
    })
}
