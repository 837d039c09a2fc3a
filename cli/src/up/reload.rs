//! From files to a delivery, again whenever one is saved. A folder that cannot be served any more leaves
//! the last delivery serving, and says why.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use catalogue::Catalogue;
use config::{Bundle, Delivery, ObjectName, Secret};
use crds::LocalAddresses;
use gateway::Feed;
use notify::{RecursiveMode, Watcher};
use render::{Previous, Rendered};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::keys::Issuer;
use crate::folder::{Folder, Problem};
use crate::printer;

/// Editors save in several steps; this much after the last one the file is whole.
const SETTLE: Duration = Duration::from_millis(50);

/// Reads, renders and remembers.
pub(super) struct Loader {
    root: PathBuf,
    data_dir: PathBuf,
    wanted: Option<ObjectName>,
    catalogue: Catalogue,
    previous: BTreeMap<ObjectName, Previous>,
    told: BTreeSet<Problem>,
    issuer: Issuer,
    /// As long as nobody was told of them.
    made: BTreeMap<ObjectName, Secret>,
    feed: watch::Sender<Feed>,
}

/// What a start tells people.
pub(super) struct First {
    pub needs_master_key: bool,
    pub model: Option<String>,
}

impl Loader {
    pub(super) fn new(
        (root, data_dir): (PathBuf, PathBuf),
        wanted: Option<ObjectName>,
        issuer: Issuer,
    ) -> Self {
        let feed = watch::channel(Feed::default()).0;
        let (previous, told) = (BTreeMap::new(), BTreeSet::new());
        let (catalogue, made) = (Catalogue::builtin(), BTreeMap::new());
        Self { root, data_dir, wanted, catalogue, previous, told, issuer, made, feed }
    }

    /// The first load, which must give something to serve.
    pub(super) async fn start(&mut self) -> anyhow::Result<(watch::Receiver<Feed>, First)> {
        let delivery = self.load().await?;
        let models = &delivery.config.models;
        let first = First {
            needs_master_key: delivery.config.settings.master_key.is_none(),
            model: models.first().map(|model| model.name.clone()),
        };
        Ok((self.feed.subscribe(), first))
    }

    /// Reads the folder, tells what is new among its problems, and hands out what it came to.
    async fn load(&mut self) -> anyhow::Result<Arc<Delivery>> {
        let mut folder = Folder::read(&self.root, Some(&self.data_dir), &environment);
        folder.manifests.previous = self.previous.clone();
        for gateway in &mut folder.manifests.gateways {
            // Ollama and LM Studio run beside it, and whoever writes the folder owns the machine.
            Arc::make_mut(gateway).spec.egress.local_addresses = LocalAddresses::Allowed;
        }
        self.made = self.issuer.issue(&mut folder.manifests).await?;
        let rendered = render::render(&folder.manifests, &self.catalogue);
        self.tell(&folder, &rendered);
        let name = self.choose(&folder)?;
        let Some(found) = rendered.gateways.get(&name) else {
            anyhow::bail!("ModelGateway {name} cannot be served: see the findings above");
        };
        let (config, credentials) = (found.config.clone(), found.credentials.clone());
        let previous = Previous { config: Arc::new(config.clone()), credentials: credentials.clone() };
        let revision = Bundle::pack(&config).context("the config is too large")?.revision;
        self.previous.insert(name, previous);
        let delivery = Arc::new(Delivery { revision, config, credentials });
        let next = Feed { delivery: Some(Arc::clone(&delivery)), problem: None };
        self.feed.send_replace(next);
        Ok(delivery)
    }

    /// Shows the keys that were made since the last call.
    pub(super) fn tell_keys(&mut self) {
        self.issuer.tell(&self.made);
    }

    fn choose(&self, folder: &Folder) -> anyhow::Result<ObjectName> {
        let all: BTreeSet<_> = folder.gateways().collect();
        let list = || all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let root = self.root.display();
        match (&self.wanted, all.first()) {
            (Some(wanted), _) if all.contains(wanted) => Ok(wanted.clone()),
            (Some(wanted), _) => anyhow::bail!("{root} has no ModelGateway {wanted}, but: {}", list()),
            (None, None) => anyhow::bail!("{root} has no ModelGateway: add one named main"),
            (None, Some(only)) if all.len() == 1 => Ok(only.clone()),
            (None, Some(_)) => {
                anyhow::bail!("{root} has several ModelGateways: choose by --gateway {}", list())
            }
        }
    }

    fn tell(&mut self, folder: &Folder, rendered: &Rendered) {
        let found = rendered.findings.iter().map(|finding| folder.locate(finding));
        let now: BTreeSet<_> = found.chain(folder.problems.iter().cloned()).collect();
        let new: Vec<_> = now.difference(&self.told).cloned().collect();
        printer::problems(&new);
        if now.is_empty() && !self.told.is_empty() {
            printer::complaint(format_args!("all findings are mended"));
        }
        self.told = now;
    }
}

#[expect(clippy::disallowed_methods, reason = "manifests name variables, so this is where they are read")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Loads again at every change below the folder, until `shutdown`.
///
/// # Errors
/// The folder cannot be watched.
pub(super) fn follow(
    mut loader: Loader,
    shutdown: CancellationToken,
) -> anyhow::Result<impl Future<Output = anyhow::Result<()>>> {
    // One place: a change while one is waiting is seen by the same read, so dropping it loses nothing.
    let (wake, mut woken) = mpsc::channel(1);
    let ignored = std::path::absolute(&loader.data_dir)?;
    let root = std::path::absolute(&loader.root)?;
    let first = wake.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // The database in the data folder changes all the time, and reading a file is an event too.
        let own = event.as_ref().is_ok_and(|event| {
            event.kind.is_access() || event.paths.iter().all(|path| path.starts_with(&ignored))
        });
        if !own {
            wake.try_send(()).ok();
        }
    })?;
    watcher.watch(&root, RecursiveMode::Recursive).context("cannot watch the folder")?;
    // What was saved between the first load and now was not seen.
    first.try_send(()).ok();
    Ok(async move {
        let _watcher = watcher;
        while let Some(Some(())) = shutdown.run_until_cancelled(woken.recv()).await {
            tokio::time::sleep(SETTLE).await;
            while woken.try_recv().is_ok() {}
            match loader.load().await {
                Ok(_) => loader.tell_keys(),
                Err(error) => printer::complaint(format_args!("{error:#}; what served before goes on")),
            }
        }
        Ok(())
    })
}
