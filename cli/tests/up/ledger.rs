//! The ledger of one process on SQLite: it holds a dollar under a crowd and through kills, and what it records is what the
//! provider has billed, to the nano-dollar. `gateway/tests/it/ledger.rs` has the same of several gateways.

#[path = "../../../gateway/tests/it/ledger/clients.rs"]
mod clients;
#[path = "../../../gateway/tests/it/ledger/provider.rs"]
mod provider;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use store::{SpendFilter, SpendRecord, Store};
use tokio::task::JoinSet;

use super::Up;
use clients::{CALLER, Crowd};
use provider::Provider;

const DOLLAR: i64 = 1_000_000_000;

fn manifests(provider: &Provider) -> String {
    format!(
        "
apiVersion: fairlead.dev/v1alpha1
kind: ModelGateway
metadata: {{name: main}}
spec: {{}}
---
apiVersion: fairlead.dev/v1alpha1
kind: ModelDeployment
metadata: {{name: m}}
spec:
  provider: {{type: custom, model: up, baseURL: '{}'}}
  pricing: {{input: '2.50', output: '10'}}
---
apiVersion: v1
kind: Secret
metadata: {{name: crowd}}
stringData: {{apiKey: {CALLER}}}
---
apiVersion: fairlead.dev/v1alpha1
kind: VirtualKey
metadata: {{name: crowd}}
spec: {{importFrom: {{secretKeyRef: {{name: crowd, key: apiKey}}}}}}
---
apiVersion: fairlead.dev/v1alpha1
kind: BudgetPolicy
metadata: {{name: dollar}}
spec:
  targets: [{{kind: Gateway}}]
  limits: [{{name: dollar, unit: USD, amount: '1.00', window: {{rolling: 24h}}}}]
  reservation: {{ttl: 10s}}
",
        provider.url
    )
}

async fn records(data: &Path) -> HashMap<String, SpendRecord> {
    let store = Store::open(data).await.unwrap();
    let page = store.spend_page(&SpendFilter::default(), None, 100_000).await.unwrap();
    let count = page.len();
    let by_user: HashMap<_, _> =
        page.into_iter().map(|record| (record.customer_id.clone().unwrap(), record)).collect();
    assert_eq!(by_user.len(), count, "recorded twice");
    by_user
}

#[test]
fn one_process_on_sqlite_holds_a_dollar_through_kills_and_records_what_is_billed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        rustls::crypto::ring::default_provider().install_default().ok();
        let provider = Provider::start().await;
        let (folder, data) = (tempfile::TempDir::new().unwrap(), tempfile::TempDir::new().unwrap());
        std::fs::write(folder.path().join("all.yaml"), manifests(&provider)).unwrap();
        let crowd = Arc::new(Crowd::default());
        let run = || {
            let up = Up::start(folder.path(), data.path());
            *crowd.urls.lock().unwrap() = vec![up.address.trim_end_matches("/v1").to_owned()];
            up
        };
        let mut up = run();
        let mut clients = JoinSet::new();
        let (own, http) = (Arc::clone(&crowd), reqwest::Client::builder().no_proxy().build().unwrap());
        clients.spawn(async move { own.ask(&http, 100).await });
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(1200)).await;
            up.process.kill().unwrap();
            drop(up);
            up = run();
        }
        crowd.may_end.store(true, Ordering::Relaxed);
        clients.join_all().await;
        up.end();
        judge(&provider, &records(data.path()).await);
    });
}

fn judge(provider: &Provider, records: &HashMap<String, SpendRecord>) {
    let (mut total, mut killed) = (0, 0);
    for (user, entry) in provider.entries() {
        let record = records.get(&user).unwrap_or_else(|| panic!("{user} is lost"));
        assert_eq!(entry.calls, 1, "{user} was asked twice");
        total += entry.cost_nano;
        if record.outcome == "killed" {
            killed += entry.cost_nano;
        } else {
            assert_eq!(record.cost_nano, Some(entry.cost_nano), "{user}: {record:?}");
        }
    }
    assert!(total <= DOLLAR + killed, "{total} of {DOLLAR}, {killed} killed");
    assert!(total > DOLLAR * 9 / 10, "{total} of {DOLLAR}: it was not used up");
}
