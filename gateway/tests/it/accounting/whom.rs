//! Who has asked, and for whom.

use config::{Key, KeyHash, KeyLimits, ObjectName};
use sha2::{Digest, Sha256};
use store::{DailyQuery, SpendRecord, Subject};

use super::records::{PLAIN, Setting, answer, id};
use super::{agree, requests, spooled};
use crate::harness::{KEY, client};
use crate::upstream::Upstream;

const OLD: &str = "sk-accounting-01d-one";
const NEW: &str = "sk-accounting-new-one";

/// Of a team and a user, with a tag of its own, while its secret is being replaced.
fn key() -> Key {
    Key {
        id: ObjectName { namespace: "ai".into(), name: "robot".into() },
        uid: "u".into(),
        hashes: vec![
            KeyHash { until: Some(u64::MAX), ..KeyHash::of(OLD.as_bytes()) },
            KeyHash::of(NEW.as_bytes()),
        ],
        display_name: Some("Robot".into()),
        team: Some("red".into()),
        user: Some("ann".into()),
        models: config::Access::default(),
        expires_at: None,
        suspended: false,
        limits: KeyLimits::default(),
        budgets: Vec::new(),
        metadata: [("tags".to_owned(), "nightly".to_owned())].into(),
    }
}

/// The record of one call with `key`, with `headers` and `body`.
async fn recorded(
    setting: &Setting,
    upstream: &Upstream,
    call: (&str, &[(&str, &str)], &str),
) -> SpendRecord {
    let (key, headers, body) = call;
    let mut ask = client().post(format!("{}/v1/chat/completions", setting.gateway.url)).bearer_auth(key);
    for (name, value) in headers {
        ask = ask.header(*name, *value);
    }
    let told = answer();
    let (answered, _) = tokio::join!(ask.body(body.to_owned()).send(), upstream.answer("200 OK", "", &told));
    let answered = answered.expect("an answer");
    assert_eq!(answered.status(), 200);
    let id = id(&answered);
    crate::harness::until("the record", || async {
        !setting.store.spend_by_request(&id).await.expect("records").is_empty()
    })
    .await;
    setting.store.spend_by_request(&id).await.expect("records").remove(0)
}

#[tokio::test]
async fn a_record_tells_key_team_user_customer_and_tags_and_no_secret() {
    let upstream = Upstream::start().await;
    let setting = Setting::with(&[&upstream.url()], |config| config.keys = vec![key()]).await;
    let said = r#"{"model":"m","user":"zoe","metadata":{"tags":["beta","alpha"]},"messages":[]}"#;
    let header = [("x-litellm-customer-id", "max"), ("x-litellm-tags", "gamma")];
    for (secret, headers, customer, tags) in [
        (NEW, &header[..0], "zoe", vec!["alpha", "beta", "nightly"]),
        (OLD, &header[..], "max", vec!["alpha", "beta", "gamma", "nightly"]),
    ] {
        let record = recorded(&setting, &upstream, (secret, headers, said)).await;
        let hash: String = Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((record.key_id.as_deref(), record.key_hash), (Some("ai/robot"), Some(hash)));
        assert_eq!((record.team_id.as_deref(), record.user_id.as_deref()), (Some("red"), Some("ann")));
        assert_eq!((record.customer_id.as_deref(), record.tags.0), (Some(customer), tags_of(&tags)));
    }
    for (kind, subject, requests) in [
        (Subject::Key, "ai/robot", 2),
        (Subject::Team, "red", 2),
        (Subject::User, "ann", 2),
        (Subject::Customer, "max", 1),
        (Subject::Tag, "nightly", 2),
        (Subject::Tag, "gamma", 1),
    ] {
        let query = DailyQuery { kind, subject: Some(subject), from: "", to: "9999" };
        let days = setting.store.daily_activity(&query).await.expect("days");
        let sum: (i64, i64) =
            days.iter().fold((0, 0), |(count, cost), day| (count + day.requests, cost + day.cost_nano));
        assert_eq!(sum, (requests, requests * 3_000_000), "{subject}");
    }
    agree(&setting.store).await;
    assert!(!spooled(&setting.folder.path().join("spool")).contains("sk-"), "keys stay with their holders");
}

fn tags_of(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

#[tokio::test]
async fn the_master_key_is_told_by_its_name() {
    let upstream = Upstream::start().await;
    let setting = Setting::of(&[&upstream.url()]).await;
    let record = recorded(&setting, &upstream, (KEY, &[], PLAIN)).await;
    assert_eq!((record.key_id.as_deref(), record.key_hash), (Some("master"), None));
    assert_eq!((record.team_id, record.customer_id, record.tags.0), (None, None, Vec::new()));
    assert_eq!(requests(&setting.store, 1).await.len(), 1);
}
