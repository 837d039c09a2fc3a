//! A Redis of a test's own, which keeps each write on the disk and can be killed.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Dropped, it is killed.
pub(crate) struct RedisServer {
    folder: TempDir,
    port: u16,
    process: Child,
}

/// What becomes of its data when it restarts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    Kept,
    Lost,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let process = run(&folder, port);
        Self { folder, port, process }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Killed, and started again.
    pub(crate) fn restart(&mut self, data: Data) {
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
        if data == Data::Lost {
            std::fs::remove_dir_all(self.folder.path().join("appendonlydir")).expect("data");
        }
        self.process = run(&self.folder, self.port);
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn run(folder: &TempDir, port: u16) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "yes"]);
    command.args(["--appendfsync", "always", "--dir"]).arg(folder.path());
    command.stdout(Stdio::null()).spawn().expect("redis-server runs: see scripts/packages")
}
