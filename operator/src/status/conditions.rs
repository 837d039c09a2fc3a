//! Conditions from verdicts: which there are, in which order, and since when they are as they are.

use crds::ConditionType;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use render::{Effect, Finding, Reason};

/// Whether something holds, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub holds: bool,
    pub reason: &'static str,
    pub message: String,
}

/// What there is to say about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdicts {
    pub accepted: Verdict,
    pub resolved: Verdict,
    pub programmed: Verdict,
    /// An older object holds what this one says too.
    pub conflicted: Option<Verdict>,
    /// What makes it not Ready though all else holds, and that is as it should be.
    pub closed: Option<(ConditionType, Verdict)>,
    pub outlook: Outlook,
}

/// What becomes of an object that is not Ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// It is Ready, or rests as it should.
    Settled,
    /// The operator is at work.
    Working,
    /// It waits for something else.
    Waiting,
    /// Only an edit helps.
    Stalled,
}

/// What an object's conditions are made for.
pub(super) struct Subject<'a> {
    pub generation: i64,
    /// As they are in the cluster.
    pub before: &'a [Condition],
    pub now: Timestamp,
}

impl Verdict {
    pub(super) fn yes(reason: &'static str, message: impl Into<String>) -> Self {
        Self { holds: true, reason, message: message.into() }
    }

    pub(super) fn no(reason: &'static str, message: impl Into<String>) -> Self {
        Self { holds: false, reason, message: message.into() }
    }
}

/// The verdict on one condition that render's findings are about.
pub(super) fn judge(findings: &[&Finding], condition: ConditionType, holds: Verdict) -> Verdict {
    let own: Vec<_> = findings.iter().filter(|finding| finding.condition == condition).collect();
    let Some(first) = own.iter().find(|finding| is_hindrance(finding)).or(own.first()) else { return holds };
    let messages: Vec<_> = own.iter().map(|finding| finding.message.as_str()).collect();
    let message = format!("{}{}", messages.join("; "), fate(first.effect));
    Verdict { holds: !is_hindrance(first), reason: first.reason.as_str(), message }
}

/// What there is to say of an older object that says the same.
pub(super) fn conflict(findings: &[&Finding]) -> Option<Verdict> {
    let found = findings.iter().find(|finding| finding.reason == Reason::ConflictingPolicy)?;
    Some(Verdict::yes(found.reason.as_str(), found.message.clone()))
}

fn is_hindrance(finding: &Finding) -> bool {
    finding.effect != Effect::Served
}

/// What findings mean for Programmed; `None` if there is none that hinders.
pub(super) fn hindered(findings: &[&Finding]) -> Option<(Verdict, Outlook)> {
    let mut hindrances = findings.iter().filter(|finding| is_hindrance(finding));
    let first = hindrances.next()?;
    let message = match first.effect {
        Effect::LastGoodServes => "not as written: the version before goes on serving",
        Effect::Partly => "not as written: the rest of it is served",
        Effect::NotServed | Effect::Served => "not served",
    };
    let outlook = if first.reason.is_final() || hindrances.any(|finding| finding.reason.is_final()) {
        Outlook::Stalled
    } else if first.reason == Reason::Suspended {
        Outlook::Settled
    } else {
        Outlook::Waiting
    };
    Some((Verdict::no(first.reason.as_str(), message), outlook))
}

fn fate(effect: Effect) -> &'static str {
    match effect {
        Effect::LastGoodServes => "; the version before goes on serving",
        Effect::Partly => "; the rest of it is served",
        Effect::NotServed | Effect::Served => "",
    }
}

/// The conditions, in the order of [`ConditionType`]. One that does not flip keeps its time.
pub(super) fn conditions(verdicts: &Verdicts, subject: &Subject<'_>) -> Vec<Condition> {
    let Verdicts { accepted, resolved, programmed, conflicted, closed, outlook } = verdicts;
    let closing = closed.as_ref().map(|(_, verdict)| verdict);
    let failed = [accepted, resolved, programmed].into_iter().chain(closing).find(|verdict| !verdict.holds);
    let ready = failed.cloned().unwrap_or_else(|| Verdict::yes("Reconciled", programmed.message.clone()));
    let abnormal = match outlook {
        Outlook::Settled => None,
        Outlook::Working => Some((ConditionType::Reconciling, "Progressing")),
        Outlook::Waiting => Some((ConditionType::Reconciling, "ProgressingWithRetry")),
        Outlook::Stalled => Some((ConditionType::Stalled, ready.reason)),
    };
    let mut all = vec![
        condition(ConditionType::Accepted, accepted, subject),
        condition(ConditionType::ResolvedRefs, resolved, subject),
        condition(ConditionType::Programmed, programmed, subject),
        condition(ConditionType::Ready, &ready, subject),
    ];
    all.extend(conflicted.iter().map(|verdict| condition(ConditionType::Conflicted, verdict, subject)));
    all.extend(closed.as_ref().map(|(type_, verdict)| {
        condition(*type_, &Verdict::yes(verdict.reason, verdict.message.clone()), subject)
    }));
    all.extend(
        abnormal
            .map(|(type_, reason)| condition(type_, &Verdict::yes(reason, ready.message.clone()), subject)),
    );
    all
}

/// One condition. One that does not flip keeps its time.
pub(super) fn condition(type_: ConditionType, verdict: &Verdict, subject: &Subject<'_>) -> Condition {
    let status = if verdict.holds { "True" } else { "False" };
    let before = find(subject.before, type_).filter(|before| before.status == status);
    Condition {
        type_: type_.as_str().to_owned(),
        status: status.to_owned(),
        reason: verdict.reason.to_owned(),
        message: verdict.message.chars().take(1_024).collect(),
        observed_generation: Some(subject.generation),
        last_transition_time: before.map_or(Time(subject.now), |before| before.last_transition_time.clone()),
    }
}

/// The condition of one type.
pub(super) fn find(conditions: &[Condition], type_: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == type_.as_str())
}

/// Whether a condition is True for a generation.
pub(super) fn is_true(conditions: &[Condition], type_: ConditionType, generation: i64) -> bool {
    let found = find(conditions, type_);
    found.is_some_and(|found| found.status == "True" && found.observed_generation == Some(generation))
}

#[cfg(test)]
mod tests {
    use config::ObjectName;
    use render::{Kind, ObjectRef};

    use super::*;

    fn finding(condition: ConditionType, reason: Reason, effect: Effect) -> Finding {
        let name = ObjectName { namespace: "ns".into(), name: "gpt".into() };
        let object = ObjectRef { kind: Kind::ModelDeployment, name };
        Finding { object, condition, reason, message: "it is wrong".into(), effect }
    }

    fn verdicts(findings: &[&Finding]) -> Verdicts {
        let settled = (Verdict::yes("AllPodsCurrent", "2/2 pods current"), Outlook::Settled);
        let (programmed, outlook) = hindered(findings).unwrap_or(settled);
        Verdicts {
            accepted: judge(findings, ConditionType::Accepted, Verdict::yes("Accepted", "")),
            resolved: judge(findings, ConditionType::ResolvedRefs, Verdict::yes("Resolved", "")),
            programmed,
            conflicted: conflict(findings),
            closed: None,
            outlook,
        }
    }

    fn summary(conditions: &[Condition]) -> Vec<String> {
        conditions.iter().map(|it| format!("{}={}/{}", it.type_, it.status, it.reason)).collect()
    }

    const SUBJECT: Subject<'static> = Subject { generation: 3, before: &[], now: Timestamp::UNIX_EPOCH };

    #[test]
    fn a_sound_object_has_four_conditions_and_no_abnormal_one() {
        let all = conditions(&verdicts(&[]), &SUBJECT);
        let expected = [
            "Accepted=True/Accepted",
            "ResolvedRefs=True/Resolved",
            "Programmed=True/AllPodsCurrent",
            "Ready=True/Reconciled",
        ];
        assert_eq!(summary(&all), expected);
        assert!(all.iter().all(|condition| condition.observed_generation == Some(3)));
    }

    #[test]
    fn a_broken_edit_says_that_the_version_before_serves_and_that_only_an_edit_helps() {
        let finding = finding(ConditionType::Accepted, Reason::UnknownProvider, Effect::LastGoodServes);
        let all = conditions(&verdicts(&[&finding]), &SUBJECT);
        let expected = [
            "Accepted=False/UnknownProvider",
            "ResolvedRefs=True/Resolved",
            "Programmed=False/UnknownProvider",
            "Ready=False/UnknownProvider",
            "Stalled=True/UnknownProvider",
        ];
        assert_eq!(summary(&all), expected);
        assert_eq!(all[0].message, "it is wrong; the version before goes on serving");
    }

    #[test]
    fn a_missing_reference_is_waited_for() {
        let finding = finding(ConditionType::ResolvedRefs, Reason::SecretNotFound, Effect::NotServed);
        let all = conditions(&verdicts(&[&finding]), &SUBJECT);
        assert_eq!(summary(&all).last().map(String::as_str), Some("Reconciling=True/ProgressingWithRetry"));
    }

    #[test]
    fn a_warning_leaves_the_object_ready_and_says_what_it_has_to_say() {
        let warning = finding(ConditionType::Accepted, Reason::AboveParent, Effect::Served);
        let all = conditions(&verdicts(&[&warning]), &SUBJECT);
        assert_eq!(summary(&all)[0], "Accepted=True/AboveParent");
        assert_eq!(all[0].message, "it is wrong");
        assert_eq!(summary(&all)[3], "Ready=True/Reconciled");
    }

    #[test]
    fn the_loser_of_a_conflict_says_so_in_a_condition_of_its_own() {
        let lost = finding(ConditionType::Accepted, Reason::ConflictingPolicy, Effect::Partly);
        let warning = finding(ConditionType::Accepted, Reason::AboveParent, Effect::Served);
        let all = conditions(&verdicts(&[&warning, &lost]), &SUBJECT);
        let expected = [
            "Accepted=False/ConflictingPolicy",
            "ResolvedRefs=True/Resolved",
            "Programmed=False/ConflictingPolicy",
            "Ready=False/ConflictingPolicy",
            "Conflicted=True/ConflictingPolicy",
            "Reconciling=True/ProgressingWithRetry",
        ];
        assert_eq!(summary(&all), expected);
        assert_eq!(all[2].message, "not as written: the rest of it is served");
    }

    #[test]
    fn a_condition_that_does_not_flip_keeps_its_time() {
        let before = conditions(&verdicts(&[]), &SUBJECT);
        let finding = finding(ConditionType::ResolvedRefs, Reason::SecretNotFound, Effect::NotServed);
        let later = Subject { generation: 4, before: &before, now: Timestamp::MAX };
        let times: Vec<_> = conditions(&verdicts(&[&finding]), &later)
            .iter()
            .map(|it| it.last_transition_time.0 == Timestamp::MAX)
            .collect();
        assert_eq!(times, [false, true, true, true, true], "Accepted did not flip");
    }
}
