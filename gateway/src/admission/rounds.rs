//! Keeps track of budgets beside the requests: every other second it looks at what was counted (`roll.rs`) and tells
//! people of what is used so far (`alerts.rs`, `posts.rs`).

use std::sync::Arc;
use std::time::Duration;

use limits::Timestamp;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Desk;
use super::alerts::Teller;
use super::posts::Posts;
use crate::pipeline::Current;

/// Between two looks.
const PACE: Duration = Duration::from_secs(2);

/// Runs until `stop`; what is being posted then is finished.
pub(crate) async fn run(desk: &Desk, current: &Current, stop: CancellationToken) {
    let mut posts = Posts::new(desk.limiter.clone(), Arc::clone(&desk.metrics));
    let teller = Teller::new(desk.limiter.clone(), Arc::clone(&desk.metrics));
    let rounds = async {
        loop {
            // Not all pods at once.
            sleep(PACE.mul_f64(rand::random_range(0.8..1.2))).await;
            round(desk, current, &teller, &mut posts).await;
        }
    };
    stop.run_until_cancelled(rounds).await;
    posts.finish().await;
}

async fn round(desk: &Desk, current: &Current, teller: &Teller, posts: &mut Posts) {
    let now = Timestamp::now();
    let all = desk.roll.look(&desk.limiter, now).await;
    let Some(snapshot) = current.load() else { return };
    for seen in all {
        match teller.raise(&snapshot, &seen, posts, now).await {
            Ok(true) => {}
            Ok(false) => desk.roll.keep(seen),
            Err(away) => {
                tracing::debug!(%away, "alerts wait");
                desk.roll.keep(seen);
            }
        }
    }
}
