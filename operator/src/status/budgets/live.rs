//! What is used, in the status of a BudgetPolicy. It comes from the pods; without news of them it stays as it is.

use crds::{BudgetPolicy, BudgetPolicyStatus, ConditionType};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::jiff::Timestamp;
use kube::Resource as _;

use crate::events::{Herald, News};
use crate::status::conditions::{Subject, Verdict, condition, find};
use crate::usage::{Reading, alerts};

/// Of the events that alerts become.
const REASON: &str = "BudgetThresholdReached";

/// What the object tells already.
pub(super) fn keep(object: &BudgetPolicy, status: &mut BudgetPolicyStatus) {
    let Some(before) = &object.status else { return };
    status.usage.clone_from(&before.usage);
    status.limits.clone_from(&before.limits);
    status.top.clone_from(&before.top);
    status.alerts.clone_from(&before.alerts);
    status.observed_at.clone_from(&before.observed_at);
    status.conditions.extend(find(&before.conditions, ConditionType::Exceeded).cloned());
}

/// Adds what was read, if it is of this object.
pub(in crate::status) fn show(
    reading: Option<Reading>,
    object: &BudgetPolicy,
    status: &mut BudgetPolicyStatus,
    now: Timestamp,
) {
    let Some(reading) = reading.filter(|reading| object.metadata.uid.as_ref() == Some(&reading.uid)) else {
        return;
    };
    let before = object.status.as_ref();
    status.conditions.retain(|condition| condition.type_ != ConditionType::Exceeded.as_str());
    if let Some(who) = &reading.shown.exceeded {
        let verdict = Verdict::yes("LimitReached", format!("used up: {who}"));
        let before = before.map_or(&[][..], |before| &before.conditions);
        let subject = Subject { generation: status.observed_generation, before, now };
        status.conditions.push(condition(ConditionType::Exceeded, &verdict, &subject));
    }
    status.alerts = alerts::told(before, &reading.shown.alerts);
    if before.is_some_and(|before| reading.shown.is_in(before)) {
        return;
    }
    status.usage = reading.shown.usage;
    status.limits = reading.shown.limits;
    status.top = reading.shown.top;
    status.observed_at = Some(format!("{:.0}", reading.at));
}

/// Makes events of the alerts that a status tells since now.
pub(in crate::status) fn announce(herald: &Herald, object: &BudgetPolicy, status: &BudgetPolicyStatus) {
    for alert in alerts::news(object.status.as_ref(), status) {
        let mark = alert.at_percent.map_or_else(|| "soft".to_owned(), |percent| format!("{percent}%"));
        let whose = alert.subject.as_deref().unwrap_or("all");
        // Events of one object and reason are counted together for some minutes; these are not the same.
        let field_path = Some(format!("spec.limits{{{}}}[{mark}][{whose}]", alert.limit));
        let object = ObjectReference { field_path, ..object.object_ref(&()) };
        herald.tell(News { object, good: false, reason: REASON.into(), note: alert.message.clone() });
    }
}

#[cfg(test)]
mod tests {
    use crds::{BudgetPolicySpec, BudgetUsage};

    use super::*;
    use crate::usage::Shown;

    const NOON: Timestamp = Timestamp::constant(1_795_608_000, 0);

    fn shown(spent: &str) -> Shown {
        Shown {
            usage: Some(BudgetUsage { spent: spent.into(), ..BudgetUsage::default() }),
            ..Shown::default()
        }
    }

    fn object(status: BudgetPolicyStatus) -> BudgetPolicy {
        let mut object = BudgetPolicy::new("teams", BudgetPolicySpec::default());
        object.metadata.uid = Some("u".into());
        object.status = Some(status);
        object
    }

    fn after(before: &BudgetPolicyStatus, reading: Option<Reading>) -> BudgetPolicyStatus {
        let (object, mut status) = (object(before.clone()), BudgetPolicyStatus::default());
        keep(&object, &mut status);
        show(reading, &object, &mut status, NOON);
        status
    }

    fn reading(spent: &str, at: Timestamp) -> Option<Reading> {
        Some(Reading::new("u", shown(spent), at))
    }

    fn told(status: &BudgetPolicyStatus) -> (Option<&str>, Option<&str>) {
        (status.usage.as_ref().map(|usage| usage.spent.as_str()), status.observed_at.as_deref())
    }

    #[test]
    fn numbers_change_with_news_only_and_stay_without() {
        let new = after(&BudgetPolicyStatus::default(), reading("1.00", Timestamp::UNIX_EPOCH));
        assert_eq!(told(&new), (Some("1.00"), Some("1970-01-01T00:00:00Z")));
        assert_eq!(after(&new, None), new, "nobody tells: the last numbers stay");
        assert_eq!(after(&new, reading("1.00", NOON)), new, "the same again is no news");
        let later = after(&new, reading("2.00", NOON));
        assert_eq!(told(&later), (Some("2.00"), Some("2026-11-25T12:00:00Z")));
        let of_another = Some(Reading::new("a successor", shown("9.00"), NOON));
        assert_eq!(after(&new, of_another), new);
    }

    #[test]
    fn a_limit_that_is_used_up_has_a_condition_while_it_is() {
        let full = Shown { exceeded: Some("usd of team:red".into()), ..shown("5.00") };
        let full = after(&BudgetPolicyStatus::default(), Some(Reading::new("u", full, NOON)));
        let condition = find(&full.conditions, ConditionType::Exceeded).unwrap();
        assert_eq!(
            (condition.reason.as_str(), condition.message.as_str()),
            ("LimitReached", "used up: usd of team:red")
        );
        assert_eq!(after(&full, None).conditions, full.conditions);
        assert_eq!(after(&full, reading("0.00", NOON)).conditions, []);
    }
}
