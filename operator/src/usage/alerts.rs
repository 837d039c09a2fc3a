//! Alerts that pods have put up, as a status keeps them: each is told once, also by another leader, since what was told
//! stands in the status.

use crds::{BudgetPolicyStatus, ToldAlert};

use super::ask::Alert;

/// Those that a status keeps.
const KEPT: usize = 10;

/// What pods have put up.
pub(super) fn of(alerts: &[Alert]) -> Vec<ToldAlert> {
    let mut alerts: Vec<&Alert> = alerts.iter().collect();
    // Of those that are the same the oldest stays, whichever pod was asked first.
    alerts.sort_by_key(|alert| (&alert.time, &alert.limit, &alert.subject, alert.at_percent));
    let told = alerts.into_iter().map(|alert| ToldAlert {
        at: alert.time.clone(),
        limit: alert.limit.clone(),
        subject: alert.subject.clone(),
        at_percent: alert.at_percent,
        window_start: alert.window_start.clone(),
        reset_at: alert.reset_at,
        message: alert.text.clone(),
    });
    told.fold(Vec::new(), |mut all, alert| {
        // Pods that count by themselves reach a threshold each at its time.
        if !all.iter().any(|known| is_same(known, &alert)) {
            all.push(alert);
        }
        all
    })
}

/// Those of `found` that the status does not tell yet, with those that it tells: the newest first.
pub(crate) fn told(before: Option<&BudgetPolicyStatus>, found: &[ToldAlert]) -> Vec<ToldAlert> {
    let before = before.map_or(&[][..], |before| &before.alerts);
    // What has made way for newer ones was told long ago.
    let oldest = before.get(KEPT - 1).map(|oldest| &oldest.at);
    let is_new = |alert: &&ToldAlert| {
        !before.iter().any(|known| is_same(known, alert)) && oldest.is_none_or(|oldest| alert.at > *oldest)
    };
    let mut all: Vec<_> = found.iter().filter(is_new).chain(before).cloned().collect();
    all.sort_by(|a, b| b.at.cmp(&a.at));
    all.truncate(KEPT);
    all
}

/// Those that `after` tells and `before` does not, the oldest first.
pub(crate) fn news<'a>(
    before: Option<&BudgetPolicyStatus>,
    after: &'a BudgetPolicyStatus,
) -> impl Iterator<Item = &'a ToldAlert> {
    let before = before.map_or(&[][..], |before| &before.alerts).to_vec();
    after.alerts.iter().rev().filter(move |alert| !before.contains(alert))
}

/// The same threshold of the same window; where a window rolls, at the same time.
fn is_same(one: &ToldAlert, other: &ToldAlert) -> bool {
    let when = one.window_start == other.window_start && (one.window_start.is_some() || one.at == other.at);
    let what =
        |alert: &ToldAlert| (alert.limit.clone(), alert.subject.clone(), alert.at_percent, alert.reset_at);
    when && what(one) == what(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(at: &str, window: Option<&str>, at_percent: i64) -> ToldAlert {
        ToldAlert {
            at: at.into(),
            limit: "usd".into(),
            subject: Some("team:red".into()),
            at_percent: Some(at_percent),
            window_start: window.map(str::to_owned),
            reset_at: None,
            message: format!("{at_percent} % at {at}"),
        }
    }

    fn status(alerts: Vec<ToldAlert>) -> BudgetPolicyStatus {
        BudgetPolicyStatus { alerts, ..BudgetPolicyStatus::default() }
    }

    /// What becomes an event, and the status after it.
    fn events(before: &BudgetPolicyStatus, found: &[ToldAlert]) -> (Vec<String>, BudgetPolicyStatus) {
        let after = status(told(Some(before), found));
        (news(Some(before), &after).map(|alert| alert.message.clone()).collect(), after)
    }

    #[test]
    fn each_alert_is_told_once_and_the_oldest_first() {
        let (half, most) = (alert("t1", Some("monday"), 50), alert("t2", Some("monday"), 80));
        let (first, after) = events(&status(Vec::new()), &[half.clone(), most.clone()]);
        assert_eq!(first, ["50 % at t1", "80 % at t2"]);
        assert_eq!(after.alerts, [most.clone(), half.clone()]);
        assert_eq!(events(&after, &[half.clone(), most]), (Vec::new(), after.clone()));
        assert_eq!(events(&after, &[]), (Vec::new(), after.clone()), "nobody tells: they stay");
        // A pod that counts by itself was started anew, and has reached it again.
        assert_eq!(events(&after, &[alert("t3", Some("monday"), 50)]), (Vec::new(), after.clone()));
        assert_eq!(events(&after, &[half, alert("t4", Some("tuesday"), 50)]).0, ["50 % at t4"]);
        let since_reset = ToldAlert { reset_at: Some(1), ..alert("t5", Some("monday"), 50) };
        assert_eq!(events(&after, &[since_reset]).0, ["50 % at t5"], "it has begun at nothing again");
    }

    #[test]
    fn where_a_window_rolls_each_time_is_another() {
        let (_, after) = events(&status(Vec::new()), &[alert("t1", None, 50)]);
        assert_eq!(events(&after, &[alert("t1", None, 50), alert("t2", None, 50)]).0, ["50 % at t2"]);
    }

    #[test]
    fn what_has_made_way_for_newer_ones_is_not_told_again() {
        let all: Vec<_> = (10..30).map(|n| alert(&format!("t{n}"), Some("monday"), n)).collect();
        let (told, after) = events(&status(Vec::new()), &all);
        assert_eq!((told.len(), after.alerts.len()), (10, 10), "the newest");
        assert_eq!(events(&after, &all).0, Vec::<String>::new());
    }
}
