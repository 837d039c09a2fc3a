//! `fairlead up` and `fairlead check` as people run them: the real binary, a folder, and HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it is wrong"
)]

#[path = "up/ledger.rs"]
mod ledger;
#[path = "up/routes.rs"]
mod routes;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_fairlead");
const QUICKSTART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/quickstart");

/// A running `fairlead up`, stopped when dropped.
struct Up {
    process: Child,
    address: String,
    key: String,
    complaints: Receiver<String>,
    lines: Receiver<String>,
}

impl Up {
    fn start(folder: &Path, data: &Path) -> Self {
        let mut process = Command::new(BINARY)
            .args(["up", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir"])
            .args([data, folder])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, complaints) = channel();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut stdout = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut after = |mark: &str| {
            let line = stdout.find(|line| line.contains(mark)).unwrap();
            line.split_once(mark).unwrap().1.to_owned()
        };
        let address = after("serves on ");
        let key = after("master key: ");
        // The access log must not fill the pipe and stall the process.
        let (sender, lines) = channel();
        std::thread::spawn(move || stdout.for_each(|line| drop(sender.send(line))));
        Self { process, address, key, complaints, lines }
    }

    /// Asks until the answer's status is `status`; reloading takes a moment.
    fn ask_until(&self, model: &str, status: u16) -> String {
        self.ask_as_until(&self.key, model, status)
    }

    fn ask_as_until(&self, key: &str, model: &str, status: u16) -> String {
        let body = format!(r#"{{"model": "{model}", "messages": [{{"role": "user", "content": "Hi"}}]}}"#);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let (found, text) = self.post_as(key, &body);
            if found == status {
                return text;
            }
            assert!(Instant::now() < deadline, "{model} still answers {found}: {text}");
        }
    }

    fn post(&self, body: &str) -> (u16, String) {
        self.post_as(&self.key, body)
    }

    fn post_as(&self, key: &str, body: &str) -> (u16, String) {
        let output = Command::new("curl")
            .args(["-sN", "--max-time", "10", "-w", "\n%{http_code}", "-d", body, "-H"])
            .arg(format!("Authorization: Bearer {key}"))
            .arg(format!("{}/chat/completions", self.address))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (text, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), text.to_owned())
    }

    /// What was shown as the key of VirtualKey `name`.
    fn virtual_key(&self, name: &str) -> String {
        let mark = format!("virtual key {name}: ");
        let deadline = Duration::from_secs(20);
        loop {
            let line = self.lines.recv_timeout(deadline).unwrap();
            if let Some(key) = line.strip_prefix(&mark) {
                return key.to_owned();
            }
        }
    }

    fn complaint(&self, mark: &str) -> String {
        let deadline = Duration::from_secs(20);
        loop {
            let line = self.complaints.recv_timeout(deadline).unwrap();
            if line.contains(mark) {
                return line;
            }
        }
    }
}

impl Up {
    /// Asks it to end, and waits until it has.
    fn end(mut self) {
        let sent = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(sent.unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn deployment(name: &str, provider: &str) -> String {
    format!(
        "apiVersion: fairlead.dev/v1alpha1\nkind: ModelDeployment\n\
         metadata: {{name: {name}}}\nspec: {{provider: {{type: {provider}}}}}\n"
    )
}

#[test]
fn the_quick_start_answers_plain_and_streaming_and_keeps_its_key() {
    let data = tempfile::tempdir().unwrap();
    let up = Up::start(Path::new(QUICKSTART), data.path());
    let answer: Value = serde_json::from_str(&up.ask_until("hello", 200)).unwrap();
    let content = answer.pointer("/choices/0/message/content").and_then(Value::as_str).unwrap();
    assert!(content.contains("mock"), "{content}");
    let (status, stream) = up.post(r#"{"model": "hello", "stream": true, "messages": []}"#);
    assert_eq!(status, 200);
    assert!(stream.trim_end().ends_with("data: [DONE]"), "{stream}");
    let key = up.key.clone();
    drop(up);
    assert_eq!(Up::start(Path::new(QUICKSTART), data.path()).key, key, "clients keep working");
}

/// Each life ends by SIGKILL, in the middle of whatever it does.
#[test]
fn killed_and_started_again_it_has_recorded_each_request_once() {
    let data = tempfile::tempdir().unwrap();
    let (lives, asked) = (3, 10);
    for _ in 0..lives {
        let up = Up::start(Path::new(QUICKSTART), data.path());
        up.ask_until("hello", 200);
        for _ in 1..asked {
            assert_eq!(up.post(r#"{"model": "hello", "messages": []}"#).0, 200);
        }
    }
    let last = Up::start(Path::new(QUICKSTART), data.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let records = runtime.block_on(async {
        let store = gateway::Store::open(data.path()).await.unwrap();
        loop {
            let records = store.spend_page(&Default::default(), None, 1000).await.unwrap();
            // Asking until a model serves may take more than one request, and those refused leave nothing.
            if records.len() >= lives * asked || Instant::now() > deadline {
                return records;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert_eq!(records.len(), lives * asked);
    assert!(records.iter().all(|one| one.outcome == "answered" && one.attempt == 0), "{records:#?}");
    drop(last);
}

/// Each life ends by SIGKILL, and the next one goes on from what was spent.
#[test]
fn killed_and_started_again_its_budgets_hold() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let policy = "apiVersion: fairlead.dev/v1alpha1\nkind: BudgetPolicy\nmetadata: {name: three}\nspec:\n  targets: [{kind: Gateway}]\n  \
                  limits: [{name: requests, unit: Requests, amount: 3, window: {calendar: Year}}]\n";
    std::fs::copy(Path::new(QUICKSTART).join("gateway.yaml"), folder.path().join("a.yaml")).unwrap();
    std::fs::write(folder.path().join("b.yaml"), policy).unwrap();
    for asked in [2, 1] {
        let up = Up::start(folder.path(), data.path());
        for _ in 0..asked {
            up.ask_until("hello", 200);
        }
    }
    for _ in 0..2 {
        let up = Up::start(folder.path(), data.path());
        let told = up.ask_until("hello", 429);
        assert!(told.contains("3 requests of 3 requests used"), "{told}");
    }
}

#[test]
fn a_saved_file_serves_and_a_broken_one_leaves_what_served() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let save = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::copy(Path::new(QUICKSTART).join("gateway.yaml"), folder.path().join("gateway.yaml")).unwrap();
    let up = Up::start(folder.path(), data.path());
    up.ask_until("second", 404);
    save("second.yaml", &deployment("second", "mock"));
    up.ask_until("second", 200);
    save("second.yaml", &deployment("second", "opneai"));
    let line = up.complaint("second.yaml: ModelDeployment/second: UnknownProvider");
    assert!(line.contains("did you mean openai"), "{line}");
    up.ask_until("second", 200);
    std::fs::remove_file(folder.path().join("gateway.yaml")).unwrap();
    up.complaint("has no ModelGateway");
    up.ask_until("second", 200);
    std::fs::copy(Path::new(QUICKSTART).join("gateway.yaml"), folder.path().join("gateway.yaml")).unwrap();
    std::fs::remove_file(folder.path().join("second.yaml")).unwrap();
    up.ask_until("second", 404);
}

fn virtual_key(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: fairlead.dev/v1alpha1\nkind: VirtualKey\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
    )
}

#[test]
fn a_virtual_key_is_made_shown_and_kept_until_its_file_goes() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let save = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::copy(Path::new(QUICKSTART).join("gateway.yaml"), folder.path().join("gateway.yaml")).unwrap();
    save("second.yaml", &deployment("second", "mock"));
    save("third.yaml", &deployment("third", "mock"));
    let up = Up::start(folder.path(), data.path());
    save("bot.yaml", &virtual_key("bot", "models: {allow: [second]}"));
    let key = up.virtual_key("default/bot");
    assert!(key.starts_with("sk-") && key != up.key, "{key}");
    up.ask_as_until(&key, "second", 200);
    up.ask_as_until(&key, "third", 403);
    drop(up);
    let up = Up::start(folder.path(), data.path());
    assert_eq!(up.virtual_key("default/bot"), key, "clients keep working");
    let theirs = "sk-Zk3vQ0pB7nXw5LrT9-_a1Q";
    save(
        "theirs.yaml",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: litellm}}\nstringData: {{key: {theirs}}}\n---\n{}",
            virtual_key("theirs", "importFrom: {secretKeyRef: {name: litellm, key: key}}")
        ),
    );
    up.ask_as_until(theirs, "third", 200);
    std::fs::remove_file(folder.path().join("bot.yaml")).unwrap();
    up.ask_as_until(&key, "second", 401);
}

#[test]
fn check_takes_keys_that_are_made_later_and_refuses_what_is_misspelt() {
    let check = |spec: &str| {
        let folder = tempfile::tempdir().unwrap();
        let gateway = std::fs::read_to_string(Path::new(QUICKSTART).join("gateway.yaml")).unwrap();
        std::fs::write(folder.path().join("x.yaml"), format!("{gateway}\n---\n{}", virtual_key("bot", spec)))
            .unwrap();
        let output = Command::new(BINARY).arg("check").arg(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(check("rotation: {interval: 720h}"), (Some(0), String::new()));
    let (code, text) = check("tll: 24h");
    assert_eq!(code, Some(1));
    assert!(text.contains("unknown field spec.tll"), "{text}");
    assert!(check("ttl: never").1.contains("VirtualKey/bot: InvalidSpec: ttl"));
}

#[test]
fn check_knows_keys_that_are_made_later_and_tells_of_two_of_the_same() {
    let gateway = std::fs::read_to_string(Path::new(QUICKSTART).join("gateway.yaml")).unwrap();
    let check = |rest: &[String]| {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<_> = [&gateway].into_iter().chain(rest).map(String::as_str).collect();
        std::fs::write(folder.path().join("x.yaml"), all.join("\n---\n")).unwrap();
        let output = Command::new(BINARY).arg("check").arg(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let policy = |name: &str, targets: &str| {
        format!(
            "apiVersion: fairlead.dev/v1alpha1\nkind: BudgetPolicy\nmetadata: {{name: {name}}}\nspec:\n  targets: {targets}\n  \
             limits: [{{name: rpm, unit: Requests, amount: 3, window: {{rolling: 1m}}}}]\n"
        )
    };
    let named = [
        virtual_key("bot", "budgetRefs: [{name: own}]"),
        policy("own", "[]"),
        policy("of-bot", "[{kind: VirtualKey, name: bot}]"),
    ];
    assert_eq!(check(&named), (Some(0), String::new()));
    let uid = virtual_key("bot", "ttl: 24h").replace("name: bot", "name: bot, uid: from-a-cluster");
    assert_eq!(check(&[uid]), (Some(0), String::new()));
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: theirs}\nstringData: {key: 'env:THEIRS'}\n"
        .to_owned();
    let import = "importFrom: {secretKeyRef: {name: theirs, key: key}}";
    let (code, text) = check(&[secret, virtual_key("a", import), virtual_key("b", import)]);
    assert!(code == Some(1) && text.contains("VirtualKey/b: DuplicateKey"), "{text}");
}

#[test]
fn a_server_on_the_same_machine_is_reached() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(Path::new(QUICKSTART).join("gateway.yaml"), folder.path().join("gateway.yaml")).unwrap();
    let manifest = deployment("near", "ollama")
        .replace("type: ollama", &format!("type: ollama, model: m, baseURL: 'http://localhost:{port}/v1'"));
    std::fs::write(folder.path().join("near.yaml"), manifest).unwrap();
    let up = Up::start(folder.path(), &folder.path().join("data"));
    let answering = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        assert!(std::io::Read::read(&mut socket, &mut head).unwrap() > 0);
        let body = r#"{"choices":[{"message":{"role":"assistant","content":"Ahoy"}}]}"#;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        std::io::Write::write_all(&mut socket, (head + body).as_bytes()).unwrap();
    });
    let text = up.ask_until("near", 200);
    assert!(text.contains("Ahoy"), "{text}");
    answering.join().unwrap();
}

#[test]
fn check_names_what_is_wrong_by_its_exit_code_too() {
    let check = |folder: &Path| Command::new(BINARY).arg("check").arg(folder).output().unwrap();
    assert!(check(Path::new(QUICKSTART)).status.success());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.yaml"), deployment("x", "nope")).unwrap();
    let output = check(folder.path());
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("x.yaml: ModelDeployment/x: "), "{text}");
    assert!(text.contains("no ModelGateway"), "{text}");
}

#[test]
fn check_judges_budgets_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(Path::new(QUICKSTART).join("gateway.yaml"), folder.path().join("gateway.yaml")).unwrap();
    let check = |zone: &str| {
        let policy = format!(
            "apiVersion: fairlead.dev/v1alpha1\nkind: BudgetPolicy\nmetadata: {{name: teams}}\nspec:\n  targets: [{{kind: Team}}]\n  \
             limits: [{{name: usd, unit: USD, amount: '0.50', window: {{calendar: Month, timeZone: {zone}}}}}]\n"
        );
        std::fs::write(folder.path().join("b.yaml"), policy).unwrap();
        Command::new(BINARY).arg("check").arg(folder.path()).output().unwrap()
    };
    let output = check("Europe/Berlin");
    assert!(output.status.success(), "{output:?}");
    let output = check("Europe/Nowhere");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("b.yaml: BudgetPolicy/teams: InvalidSpec: limit usd: timeZone"), "{text}");
}

#[test]
fn a_well_known_master_key_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let output = Command::new(BINARY)
        .args(["up", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir"])
        .args([data.path(), Path::new(QUICKSTART)])
        .env("FAIRLEAD_MASTER_KEY", "sk-1234")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("well-known"));
}
