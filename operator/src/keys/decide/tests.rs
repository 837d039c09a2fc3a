//! One VirtualKey at each step of its life.

use std::collections::BTreeMap;

use config::{ObjectName, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use render::{Issue, Rotation};

use super::*;

const HOUR: u64 = 3600;

fn object() -> VirtualKey {
    let mut object = VirtualKey::new("bot", crds::VirtualKeySpec::default());
    object.metadata.namespace = Some("ai".into());
    object.metadata.uid = Some("u".into());
    object
}

fn plan(rotation: bool) -> KeyPlan {
    let name = |name: &str| ObjectName { namespace: "ai".into(), name: name.into() };
    let rotation = rotation.then_some(Rotation {
        interval: Duration::from_secs(24 * HOUR),
        overlap: Duration::from_millis(HOUR * 1000 + 1),
    });
    let (key, base_url) = ("apiKey".into(), Some("https://llm.example.com".into()));
    let order = Order { secret: name("bot-key"), key, base_url, retain: false, rotation };
    KeyPlan { gateway: name("main"), expires_at: None, order: Some(order) }
}

/// Made at second 0.
fn secret(material: &str) -> SecretData {
    let value = |text: &str| Secret::new(text.as_bytes().to_vec());
    let data = [("apiKey", material), ("baseURL", "https://llm.example.com")];
    let issue = Issue { key: "bot".into(), uid: "u".into(), issued_at: Some(0), ..Issue::default() };
    SecretData {
        version: "1".into(),
        data: BTreeMap::from(data.map(|(key, text)| (key.to_owned(), value(text)))),
        issue: Some(issue),
    }
}

fn view<'a>(object: &'a VirtualKey, plan: &'a KeyPlan, secret: Option<&'a SecretData>) -> View<'a> {
    View { object, plan: Some(plan), secret, exists: secret.is_some(), next: None, is_served: true, now: 1 }
}

#[test]
fn a_secret_is_made_for_what_opens_a_gateway_and_is_not_imported() {
    let (new, plan) = (object(), plan(false));
    assert_eq!(decide(&view(&new, &plan, None)).0, [Deed::Issue]);
    let refused = View { plan: None, ..view(&new, &plan, None) };
    assert_eq!(decide(&refused), (vec![], None));
    let imported = KeyPlan { order: None, ..plan };
    assert_eq!(decide(&view(&new, &imported, None)), (vec![], None));
}

#[test]
fn one_that_is_as_it_should_be_is_left_alone() {
    let (object, plan, secret) = (object(), plan(false), secret("sk-1"));
    assert_eq!(decide(&view(&object, &plan, Some(&secret))), (vec![], None));
    let unread = View { exists: true, ..view(&object, &plan, None) };
    assert_eq!(decide(&unread), (vec![], None), "what is there is never made over");
}

#[test]
fn what_somebody_else_made_is_never_written() {
    let (object, plan) = (object(), plan(true));
    for issue in [
        None,
        Some(Issue { key: "other".into(), uid: "u".into(), ..Issue::default() }),
        Some(Issue { key: "bot".into(), uid: "former".into(), ..Issue::default() }),
    ] {
        let theirs = SecretData { issue, data: BTreeMap::new(), ..secret("sk-1") };
        assert_eq!(decide(&view(&object, &plan, Some(&theirs))), (vec![], None));
    }
}

#[test]
fn a_secret_of_ours_that_is_not_as_ordered_is_mended() {
    let (object, plan) = (object(), plan(false));
    let mut keyless = secret("sk-1");
    keyless.data.remove("apiKey");
    assert_eq!(decide(&view(&object, &plan, Some(&keyless))).0, [Deed::Reissue]);
    let mut elsewhere = secret("sk-1");
    elsewhere.data.remove("baseURL");
    assert_eq!(decide(&view(&object, &plan, Some(&elsewhere))).0, [Deed::Amend]);
    let mut kept = secret("sk-1");
    kept.issue.as_mut().unwrap().retained = true;
    assert_eq!(decide(&view(&object, &plan, Some(&kept))).0, [Deed::Amend]);
}

#[test]
fn a_rotation_makes_the_next_key_waits_for_every_pod_and_notes_the_old_one() {
    let (object, plan, old, new) = (object(), plan(true), secret("sk-1"), secret("sk-2"));
    let (day, next) = (24 * HOUR, KeyHash::of(b"sk-2"));
    let at = |now, next, is_served| View { next, is_served, now, ..view(&object, &plan, Some(&old)) };
    assert_eq!(decide(&at(day - 1, None, true)), (vec![], Some(day)));
    assert_eq!(decide(&at(day, None, true)).0, [Deed::Prepare]);
    assert_eq!(decide(&at(day, Some(&next), false)), (vec![], None), "a pod does not take it yet");
    let replaced = KeyHash { until: Some(day + 5 + HOUR + 1), ..KeyHash::of(b"sk-1") };
    assert_eq!(decide(&at(day + 5, Some(&next), true)).0, [Deed::Replace { old: replaced }]);
    let after = View { next: Some(&next), now: day + 6, ..view(&object, &plan, Some(&new)) };
    assert_eq!(decide(&after).0, [Deed::Forget], "the Secret holds it");
}

#[test]
fn what_opens_nothing_is_not_rotated() {
    let (plan, secret, next) = (plan(true), secret("sk-1"), KeyHash::of(b"sk-2"));
    let mut suspended = object();
    suspended.spec.suspend = true;
    let late = View { now: 48 * HOUR, ..view(&suspended, &plan, Some(&secret)) };
    assert_eq!(decide(&late), (vec![], None));
    assert_eq!(decide(&View { next: Some(&next), ..late }).0, [Deed::Forget]);
    let (object, over) = (object(), KeyPlan { expires_at: Some(HOUR), ..plan });
    let late = View { now: 48 * HOUR, ..view(&object, &over, Some(&secret)) };
    assert_eq!(decide(&late), (vec![], None));
}

#[test]
fn nothing_is_written_for_one_that_is_being_deleted() {
    let (mut gone, plan, secret, next) = (object(), plan(true), secret("sk-1"), KeyHash::of(b"sk-2"));
    gone.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    assert_eq!(decide(&view(&gone, &plan, None)), (vec![], None));
    let late = View { next: Some(&next), now: 48 * HOUR, ..view(&gone, &plan, Some(&secret)) };
    assert_eq!(decide(&late).0, [Deed::Forget]);
}
