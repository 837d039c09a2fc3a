//! Every way to fail, for plain answers and streams, where it is the only deployment, where another stands beside it, and
//! where another model does. Each cell is what the client sees.

use std::sync::Arc;

use config::Fallbacks;
use tokio::task::JoinSet;

use super::shaky::{Shaky, Way};
use super::{QUICK, Seen, ask, even, gateway, in_order};
use crate::harness::{Gateway, NOBODY};

/// One way to fail.
struct Row {
    name: &'static str,
    at: At,
    /// What the client gets where nothing else stands: plain, and as a stream. 0: good, in time. 1: it begins, and then an
    /// event tells of the error.
    alone: [u16; 2],
    /// Whether another model is asked.
    falls_back: bool,
}

enum At {
    Provider(Way),
    Url(String),
}

/// Most cells take no time; those that hang wait beside each other.
const AT_ONCE: usize = 24;

/// An event has been sent, then there is an error.
const CUT: u16 = 1;
const GOOD: u16 = 0;

fn rows(tls: &str) -> Vec<Row> {
    let status = |status, header, body| At::Provider(Way::Status(status, header, body));
    let row = |name, at, alone, falls_back| Row { name, at, alone, falls_back };
    let plain = |code| status(code, "", r#"{"error":{"message":"no"}}"#);
    let same = |code: u16| [code, code];
    vec![
        row("refused", At::Url(NOBODY.to_owned()), same(502), true),
        row("reset before headers", At::Provider(Way::ResetAtOnce), same(502), true),
        row("reset in the body", At::Provider(Way::ResetMidBody), same(502), true),
        row("reset in the stream", At::Provider(Way::ResetMidStream), [502, CUT], true),
        row("hangs before headers", At::Provider(Way::HangAtOnce), same(504), true),
        row("hangs in the stream", At::Provider(Way::HangMidStream), [504, CUT], true),
        row("400", plain(400), same(400), false),
        row("401", plain(401), same(502), true),
        row("403", plain(403), same(502), true),
        row("404", plain(404), same(404), true),
        row("408", plain(408), same(408), true),
        row("413", plain(413), same(413), true),
        row("429 with Retry-After", status(429, "retry-after: 1\r\n", "{}"), same(429), true),
        row("429", plain(429), same(429), true),
        row("500", plain(500), same(500), true),
        row("502", plain(502), same(502), true),
        row("503", status(503, "", "<html>"), same(503), true),
        row("529", plain(529), same(529), true),
        row("wrong content type", At::Provider(Way::Html), same(502), true),
        row("truncated JSON", At::Provider(Way::Truncated), same(502), true),
        row("drips", At::Provider(Way::Drips), same(GOOD), true),
        row("no TLS", At::Url(tls.to_owned()), same(502), true),
        // Longer than a label can be, so that no server is asked.
        row("no such name", At::Url(format!("http://{}.test/v1", "a".repeat(64))), same(502), true),
    ]
}

/// A provider for a row, if it needs one, and where it is.
async fn place(at: At) -> (Option<Shaky>, String) {
    match at {
        At::Url(url) => (None, url),
        At::Provider(way) => {
            let provider = Shaky::start(way).await;
            let url = provider.url.clone();
            (Some(provider), url)
        }
    }
}

fn check(cell: &str, seen: &Seen, expected: u16) {
    match expected {
        GOOD => assert!(seen.is_good(), "{cell}: {seen:?}"),
        CUT => {
            assert!(seen.status == 200 && seen.text.contains("fine"), "{cell}: {seen:?}");
            assert!(seen.text.contains("error") && !seen.text.contains("[DONE]"), "{cell}: {seen:?}");
        }
        status => assert_eq!(seen.status, status, "{cell}: {seen:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_to_fail_is_seen_as_it_should() {
    let good = Shaky::start(Way::Good).await;
    let tls = good.url.replace("http:", "https:");
    let (mut providers, mut models, mut cells) = (Vec::new(), vec![even("other", &[&good.url])], Vec::new());
    for (place_of, row) in rows(&tls).into_iter().enumerate() {
        let Row { name, at, alone, falls_back } = row;
        let (provider, url) = place(at).await;
        providers.extend(provider);
        let (one, two, fall) =
            (format!("one-{place_of}"), format!("two-{place_of}"), format!("fall-{place_of}"));
        models.push(in_order(&one, &[&url]));
        models.push(in_order(&two, &[&url, &good.url]));
        let fallbacks = Fallbacks { on_error: vec!["other".into()], ..Fallbacks::default() };
        models.push(config::Model { fallbacks, ..in_order(&fall, &[&url]) });
        for (stream, alone) in [false, true].into_iter().zip(alone) {
            let beside = if alone == CUT { CUT } else { GOOD };
            let cell = |setup| format!("{name}, {setup}, stream: {stream}");
            cells.push((cell("alone"), one.clone(), stream, alone));
            cells.push((cell("beside another"), two.clone(), stream, beside));
            cells.push((
                cell("with a fallback"),
                fall.clone(),
                stream,
                if falls_back { beside } else { alone },
            ));
        }
    }
    let gateway = Arc::new(gateway(QUICK, models).await);
    let count = cells.len();
    assert_eq!(count, 23 * 2 * 3);
    let mut asked = JoinSet::new();
    for (cell, model, stream, expected) in cells {
        if asked.len() >= AT_ONCE {
            asked.join_next().await.expect("one").expect("it passes");
        }
        let gateway = Arc::clone(&gateway);
        asked.spawn(async move { check(&cell, &ask(&gateway, &model, stream).await, expected) });
    }
    asked.join_all().await;
}

async fn of_thirty(gateway: &Gateway, model: &str, stream: bool) -> usize {
    let mut good = 0;
    for _ in 0..30 {
        good += usize::from(ask(gateway, model, stream).await.is_good());
    }
    good
}

/// Where no byte was sent, one of three that fails costs no request; and soon it is left alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_that_fails_costs_nothing() {
    let good = Shaky::start(Way::Good).await;
    let tls = good.url.replace("http:", "https:");
    let (mut providers, mut models, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (place_of, row) in rows(&tls).into_iter().enumerate() {
        let (provider, url) = place(row.at).await;
        let name = format!("three-{place_of}");
        models.push(even(&name, &[&url, &good.url, &good.url]));
        names.push((row.name, name, row.alone, provider.as_ref().map(|_| providers.len())));
        providers.extend(provider);
    }
    let gateway = Arc::new(gateway(QUICK, models).await);
    let mut asked = JoinSet::new();
    for (row, name, alone, _) in &names {
        for (stream, alone) in [false, true].into_iter().zip(*alone).filter(|(_, alone)| *alone != CUT) {
            let (gateway, name, row) = (Arc::clone(&gateway), name.clone(), *row);
            asked.spawn(async move {
                let good = of_thirty(&gateway, &name, stream).await;
                assert_eq!(good, 30, "{row}, stream: {stream}, alone: {alone}");
            });
        }
    }
    asked.join_all().await;
    for (row, _, _, provider) in
        names.iter().filter(|(row, ..)| ["500", "429", "hangs before headers"].contains(row))
    {
        let calls = providers[provider.expect("a provider")].calls();
        assert!((1..=8).contains(&calls), "{row}: {calls} calls of what fails");
    }
}
