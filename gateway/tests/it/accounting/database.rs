//! A PostgreSQL database behind a gate that can be shut, or be cut at the worst moment.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The server of `scripts/services`.
const SERVER: &str = "postgres://fairlead@127.0.0.1:54329";

/// A database of one test's own.
pub(crate) struct Database {
    /// By way of the gate.
    pub(crate) url: String,
    direct: String,
    gate: watch::Sender<Gate>,
    /// How many commits still lose their answer.
    pub(crate) lost: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Shut,
}

impl Database {
    pub(crate) async fn make() -> Self {
        let server = std::env::var_os("FAIRLEAD_TEST_POSTGRES").and_then(|url| url.into_string().ok());
        let server = server.unwrap_or_else(|| SERVER.to_owned());
        let name = format!("test_{:032x}", rand::random::<u128>());
        psql(&format!("{server}/postgres"), &format!("CREATE DATABASE {name}"));
        let address = server.rsplit(['@', '/']).next().expect("a server").to_owned();
        let (gate, lost) = (watch::Sender::new(Gate::Open), Arc::new(AtomicUsize::new(0)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("an address").to_string();
        let mut tasks = JoinSet::new();
        tasks.spawn(guard(listener, address.clone(), gate.subscribe(), Arc::clone(&lost)));
        let direct = format!("{server}/{name}");
        Self { url: direct.replace(&address, &own), direct, gate, lost, _tasks: tasks }
    }

    /// Past the gate.
    pub(crate) async fn store(&self) -> Store {
        let store = Store::connect(&self.direct).expect("a URL");
        store.migrate().await.expect("a database");
        store
    }

    /// From now on it takes no record of that id.
    pub(crate) fn refuse(&self, id: &str) {
        psql(&self.direct, &format!("ALTER TABLE spend ADD CONSTRAINT refuse CHECK (request_id <> '{id}')"));
    }

    /// It goes away, in the middle of whatever it does.
    pub(crate) fn shut(&self) {
        self.gate.send_replace(Gate::Shut);
    }

    pub(crate) fn open(&self) {
        self.gate.send_replace(Gate::Open);
    }
}

fn psql(database: &str, sql: &str) {
    let done = Command::new("psql").args([database, "-qc", sql]).output();
    let done = done.expect("psql runs: see scripts/packages");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    let advice = "PostgreSQL: run scripts/services up, or set FAIRLEAD_TEST_POSTGRES";
    assert!(done.status.success(), "{advice}: {told}");
}

async fn guard(listener: TcpListener, server: String, gate: watch::Receiver<Gate>, lost: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (server, mut shut, lost) = (server.clone(), gate.clone(), Arc::clone(&lost));
        connections.spawn(async move {
            tokio::select! {
                _ = shut.wait_for(|gate| *gate == Gate::Shut) => {}
                _ = pass(client, &server, &lost) => {}
            }
        });
    }
}

/// Both ways, until one side ends; or until the answer to a commit is to be lost: then it is done, and nobody knows.
async fn pass(client: TcpStream, server: &str, lost: &AtomicUsize) -> std::io::Result<()> {
    let server = TcpStream::connect(server).await?;
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let (mut asked, mut told) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut loses = false;
    loop {
        tokio::select! {
            read = from_client.read(&mut asked) => {
                let bytes = asked.get(..read?).unwrap_or_default();
                if bytes.is_empty() {
                    return Ok(());
                }
                let is_commit = bytes.windows(6).any(|six| six == b"COMMIT");
                let take = |left: usize| left.checked_sub(1);
                loses |= is_commit && lost.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
                to_server.write_all(bytes).await?;
            }
            read = from_server.read(&mut told) => {
                let bytes = told.get(..read?).unwrap_or_default();
                if bytes.is_empty() || loses {
                    return Ok(());
                }
                to_client.write_all(bytes).await?;
            }
        }
    }
}
