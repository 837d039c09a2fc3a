//! Waiting for the cluster: ask again until it is so, or until a deadline. The only place that sleeps.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

/// Short enough to time a propagation, long enough not to load the cluster.
const PAUSE: Duration = Duration::from_millis(50);

/// A probe that failed, as opposed to one that says "not yet", is asked again too; the last failure is in the error.
///
/// # Errors
/// When `limit` is over.
pub async fn until<T>(
    limit: Duration,
    what: impl Display,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    let mut last = String::new();
    loop {
        let left = limit.saturating_sub(started.elapsed());
        match tokio::time::timeout(left.max(PAUSE), probe()).await {
            Ok(Ok(Some(found))) => return Ok(found),
            Ok(Ok(None)) => {}
            Ok(Err(problem)) => last = format!("; last: {problem:#}"),
            Err(_) => last = "; the last look did not come back".into(),
        }
        if started.elapsed() >= limit {
            return Err(anyhow!("waited {:.1} s for {what}{last}", limit.as_secs_f64()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// As `until`, for a yes or no.
///
/// # Errors
/// When `limit` is over.
pub async fn until_true(
    limit: Duration,
    what: impl Display,
    mut probe: impl AsyncFnMut() -> Result<bool>,
) -> Result<()> {
    until(limit, what, async || Ok(probe().await?.then_some(()))).await
}

/// Lets time pass, where the passing of time is itself what is tested ("nothing is written for a minute").
pub async fn watch_idle(span: Duration) {
    tokio::time::sleep(span).await;
}
