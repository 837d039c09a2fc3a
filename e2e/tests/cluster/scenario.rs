//! What a scenario is and how one is played: with a deadline, with evidence when it fails, and cleaned up after.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use e2e::audit::Bookmark;
use e2e::cluster::Unproven;
use e2e::evidence;
use e2e::site::Site;
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

/// Longer than any scenario takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(420);

/// What every scenario is given.
pub(crate) struct World {
    pub(crate) site: Site,
    /// Where the audit log stood before the installation; absent on clusters that somebody else runs.
    pub(crate) log: Option<Bookmark>,
    /// A folder that outlives the run.
    pub(crate) cache: PathBuf,
    /// Whether every scenario runs, so that the whole can be judged.
    pub(crate) whole: bool,
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a World) -> LocalBoxFuture<'a, Result<()>>,
}

pub(crate) enum Outcome {
    Passed,
    Failed,
    Unproven(String),
    /// It failed, and so would whatever came after it.
    Ruined,
}

macro_rules! scenarios {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$(Scenario {
            name: concat!(stringify!($module), "::", stringify!($name)),
            run: |world| Box::pin($module::$name(world)),
        }),*]
    };
}
pub(crate) use scenarios;

impl Scenario {
    pub(crate) async fn play(&self, world: &World) -> Outcome {
        eprintln!("{} ...", self.name);
        let started = Instant::now();
        let result = self.attempt(world).await;
        let took = started.elapsed().as_secs_f64();
        let outcome = match result {
            Ok(()) => {
                eprintln!("  ok, {took:.1} s");
                Outcome::Passed
            }
            Err(problem) if problem.is::<Unproven>() => {
                eprintln!("  NOT PROVEN: {problem}");
                Outcome::Unproven(problem.to_string())
            }
            Err(problem) => {
                eprintln!("  FAILED after {took:.1} s: {problem:#}");
                evidence::print(&world.site).await;
                Outcome::Failed
            }
        };
        if let Err(problem) = world.site.clear().await {
            eprintln!("  FAILED: what it made does not go away: {problem:#}");
            evidence::print(&world.site).await;
            return Outcome::Ruined;
        }
        outcome
    }

    async fn attempt(&self, world: &World) -> Result<()> {
        let run = AssertUnwindSafe((self.run)(world)).catch_unwind();
        match tokio::time::timeout(LIMIT, run).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(anyhow!("panicked; see above")),
            Err(_) => Err(anyhow!("not done after {LIMIT:?}")),
        }
    }
}

impl World {
    /// # Errors
    /// [`Unproven`] where there is no log to read.
    pub(crate) fn log(&self) -> Result<&Bookmark> {
        self.site.cluster.control()?;
        self.log.as_ref().ok_or_else(|| Unproven("there is no audit log".into()).into())
    }
}
