//! The real binary, in a process that can be killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::harness::{KEY, client};

/// One life of the binary. Dropped, it is killed.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    pub(crate) admin: String,
    /// What it says, shown where a test fails.
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// Starts it with its config in `place`, its spool beside it.
    pub(crate) fn start(place: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fairlead-gateway"));
        command.env_clear().envs(environment.iter().copied());
        command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain-delay", "1ms"]);
        command.arg("--config-dir").arg(place.join("config")).arg("--spool-dir").arg(place.join("spool"));
        let mut child = command.stdout(Stdio::piped()).spawn().expect("runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (mut listen, mut admin) = (None, None);
        for line in lines.by_ref() {
            let line = line.expect("text");
            listen = listen.or(address(&line, "listen"));
            admin = admin.or(address(&line, "admin"));
            if line.contains("config serves") {
                break;
            }
        }
        let log = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&log);
        // It must never wait for its log to be read.
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| told.lock().expect("unpoisoned").push(line))
        });
        Self { child, url: listen.expect("an address"), admin: admin.expect("an address"), log }
    }

    pub(crate) fn ask(&self, body: &'static str) -> reqwest::RequestBuilder {
        client().post(format!("{}/v1/chat/completions", self.url)).bearer_auth(KEY).body(body)
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        assert_eq!(self.child.wait().expect("gone").code(), Some(0));
    }
}

fn address(line: &str, name: &str) -> Option<String> {
    let rest = line.split(&format!("\"{name}\":\"Some(")).nth(1)?;
    Some(format!("http://{}", rest.split(')').next()?))
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            let told = self.log.lock().expect("unpoisoned").join("\n");
            std::io::stderr().write_all(told.as_bytes()).ok();
        }
    }
}
