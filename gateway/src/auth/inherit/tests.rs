//! The tables of `docs/stored-keys.md`, cell by cell.

use store::accounts::{FormerHash, Key as Stored, KeyType, ModelTerms, SpendWindow, Team, User};

use super::*;
use crate::snapshot::{Model, UserBudgets};

const OWNERS: [Whose; 4] = [Whose::Key, Whose::Member, Whose::Team, Whose::User];

fn model(name: &str) -> Model {
    Model { name: name.into(), aliases: vec![format!("alias-of-{name}")], ..Model::default() }
}

/// Ann's key in team red, where everybody may do everything.
fn in_team() -> Holder {
    let named = |name: &str| Some(name.to_owned());
    Holder {
        key: Stored {
            id: "k".into(),
            shown: "sk-...abcd".into(),
            team_id: named("red"),
            user_id: named("ann"),
            ..Stored::default()
        },
        team: Some(Team { id: "red".into(), ..Team::default() }),
        user: Some(User { id: "ann".into(), ..User::default() }),
        member: Some(Member { team_id: "red".into(), user_id: "ann".into(), ..Member::default() }),
        ..Holder::default()
    }
}

/// Ann's own key.
fn personal() -> Holder {
    let mut holder = in_team();
    (holder.key.team_id, holder.team, holder.member) = (None, None, None);
    holder
}

fn with_models(mut holder: Holder, whose: Whose, models: &[&str]) -> Holder {
    let models: Vec<_> = models.iter().map(|model| (*model).to_owned()).collect();
    match whose {
        Whose::Key => holder.key.models = models,
        Whose::Team => holder.team.iter_mut().for_each(|team| team.models.clone_from(&models)),
        Whose::User => holder.user.iter_mut().for_each(|user| user.models.clone_from(&models)),
        Whose::Member => holder.member.iter_mut().for_each(|member| member.models.clone_from(&models)),
        other => panic!("{other:?} is no part of it"),
    }
    holder
}

fn with_terms(mut holder: Holder, whose: Whose, terms: &Terms) -> Holder {
    match whose {
        Whose::Key => holder.key.terms = terms.clone(),
        Whose::Team => holder.team.iter_mut().for_each(|team| team.terms = terms.clone()),
        Whose::User => holder.user.iter_mut().for_each(|user| user.terms = terms.clone()),
        Whose::Member => holder.member.iter_mut().for_each(|member| member.terms = terms.clone()),
        other => panic!("{other:?} is no part of it"),
    }
    holder
}

fn barred(holder: &Holder, name: &str) -> Option<Whose> {
    access(holder).barrier(&model(name))
}

/// The limits that a request for `name` is counted in.
fn counted(holder: &Holder, name: &str, users: UserBudgets) -> Vec<(Whose, String, u64)> {
    let (key, _) = key(holder);
    let mut counted: Vec<_> = key
        .limits(&model(name), users)
        .map(|limit| (limit.whose, limit.rule.limit.clone(), limit.rule.amount))
        .collect();
    counted.sort_by_key(|(whose, limit, _)| (OWNERS.iter().position(|one| one == whose), limit.clone()));
    counted
}

#[test]
fn a_model_must_be_on_the_lists_of_key_member_and_team_and_on_the_users_without_a_team() {
    for (whose, bars_in_team, bars_alone) in [
        (Whose::Key, true, true),
        (Whose::Member, true, false),
        (Whose::Team, true, false),
        (Whose::User, false, true),
    ] {
        for (holder, bars) in [(in_team(), bars_in_team), (personal(), bars_alone)] {
            let holder = with_models(holder, whose, &["allowed", "gpt-*"]);
            let team = holder.key.team_id.clone();
            assert_eq!(barred(&holder, "other"), bars.then_some(whose), "{whose:?} {team:?}");
            assert_eq!(barred(&holder, "allowed"), None, "{whose:?} {team:?}");
            assert_eq!(barred(&holder, "gpt-4o"), None, "{whose:?} {team:?}");
            let by_alias = with_models(holder, whose, &["alias-of-other"]);
            assert_eq!(barred(&by_alias, "other"), None, "{whose:?} {team:?}");
        }
    }
}

#[test]
fn lists_narrow_each_other() {
    let both = with_models(in_team(), Whose::Team, &["a", "b"]);
    let both = with_models(both, Whose::Key, &["b", "c"]);
    let barriers = ["a", "b", "c"].map(|name| barred(&both, name));
    assert_eq!(barriers, [Some(Whose::Key), None, Some(Whose::Team)]);
}

#[test]
fn litellms_words_stand_for_models() {
    let team = with_models(in_team(), Whose::Team, &["a"]);
    let teams = with_models(team.clone(), Whose::Key, &["all-team-models", "b"]);
    assert_eq!(["a", "b"].map(|name| barred(&teams, name)), [None, Some(Whose::Team)]);
    let lost = with_models(personal(), Whose::Key, &["all-team-models"]);
    assert_eq!(barred(&lost, "a"), Some(Whose::Key), "it has no team");
    for whose in OWNERS {
        let all = with_models(in_team(), whose, &["all-proxy-models"]);
        assert_eq!(barred(&all, "a"), None, "{whose:?}");
    }
    let none = with_models(personal(), Whose::User, &["no-default-models"]);
    assert_eq!(barred(&none, "a"), Some(Whose::User));
    let in_team = with_models(in_team(), Whose::User, &["no-default-models"]);
    assert_eq!(barred(&in_team, "a"), None, "teams are what they are left with");
}

#[test]
fn groups_stand_for_their_models_by_id_and_by_name() {
    let group = |id: &str, name: &str, model: &str| ModelGroup {
        id: id.into(),
        name: name.into(),
        models: vec![model.into()],
        ..ModelGroup::default()
    };
    let groups = vec![group("1", "fast", "a"), group("2", "slow", "b-*"), group("3", "other", "c")];
    let mut holder = Holder { groups, ..with_models(in_team(), Whose::Key, &["fast"]) };
    holder.key.model_groups = vec!["2".into()];
    assert_eq!(["a", "b-1", "c"].map(|name| barred(&holder, name)), [None, None, Some(Whose::Key)]);
    holder.key.models.clear();
    holder.key.model_groups = vec!["gone".into()];
    assert_eq!(barred(&holder, "a"), Some(Whose::Key), "a group that is not there has no models");
    let customer =
        Customer { models: vec!["fast".into()], model_groups: vec!["2".into()], ..Customer::default() };
    let (carl, _) = patron(&customer, None, &holder.groups);
    let barriers = ["a", "b-1", "c"].map(|name| carl.access.barrier(&model(name)));
    assert_eq!(barriers, [None, None, Some(Whose::Customer)]);
}

#[test]
fn every_limit_of_everybody_holds_at_once() {
    let terms = |amount| Terms { requests_per_minute: Some(amount), ..Terms::default() };
    let all = OWNERS
        .into_iter()
        .zip(1..)
        .fold(in_team(), |holder, (whose, amount)| with_terms(holder, whose, &terms(amount)));
    let limit = |whose, amount| (whose, "requests-per-minute".to_owned(), amount);
    let expected =
        [limit(Whose::Key, 1), limit(Whose::Member, 2), limit(Whose::Team, 3), limit(Whose::User, 4)];
    assert_eq!(counted(&all, "m", UserBudgets::OfAllKeys), expected);
    assert_eq!(counted(&all, "m", UserBudgets::OfPersonalKeys), expected[..3], "as LiteLLM has it");
    let alone = with_terms(with_terms(personal(), Whose::Key, &terms(1)), Whose::User, &terms(4));
    let expected = [limit(Whose::Key, 1), limit(Whose::User, 4)];
    for users in [UserBudgets::OfAllKeys, UserBudgets::OfPersonalKeys] {
        assert_eq!(counted(&alone, "m", users), expected, "{users:?}");
    }
}

#[test]
fn each_term_is_a_limit() {
    let model_terms =
        ModelTerms { max_budget_nano: Some(8), tokens_per_minute: Some(9), ..ModelTerms::default() };
    let terms = Terms {
        max_budget_nano: Some(1),
        soft_budget_nano: Some(2),
        budget_duration: Some("30d".into()),
        windows: vec![SpendWindow { max_budget_nano: 3, budget_duration: "1d".into() }],
        requests_per_minute: Some(4),
        tokens_per_minute: Some(5),
        tokens_per_day: Some(6),
        max_concurrent: Some(7),
        models: [("gpt-*".to_owned(), model_terms)].into(),
        reset_us: None,
    };
    let holder = with_terms(personal(), Whose::Key, &terms);
    let limits = |name| -> Vec<(String, u64)> {
        let counted = counted(&holder, name, UserBudgets::OfAllKeys);
        counted.into_iter().map(|(_, limit, amount)| (limit, amount)).collect()
    };
    let of_all = [
        ("budget", 1),
        ("budget-1d", 3),
        ("max-concurrent", 7),
        ("requests-per-minute", 4),
        ("tokens-per-day", 6),
        ("tokens-per-minute", 5),
    ];
    let of_all = of_all.map(|(limit, amount)| (limit.to_owned(), amount));
    assert_eq!(limits("claude"), of_all);
    let of_model: Vec<_> = limits("gpt-4o").into_iter().filter(|limit| !of_all.contains(limit)).collect();
    assert_eq!(of_model, [("budget of gpt-*".to_owned(), 8), ("tokens-per-minute of gpt-*".to_owned(), 9)]);
    let soft = Terms { soft_budget_nano: Some(2), ..Terms::default() };
    let soft = with_terms(personal(), Whose::Key, &soft);
    assert_eq!(counted(&soft, "m", UserBudgets::OfAllKeys), [(Whose::Key, "soft-budget".to_owned(), 2)]);
    let less = Terms { max_budget_nano: Some(-1), max_concurrent: Some(i64::MAX), ..Terms::default() };
    let less = counted(&with_terms(personal(), Whose::Key, &less), "m", UserBudgets::OfAllKeys);
    assert_eq!(less.iter().map(|(.., amount)| *amount).collect::<Vec<_>>(), [0, MOST]);
}

#[test]
fn budgets_speak_where_keys_and_members_say_nothing() {
    let budget = |dollars| {
        let terms = Terms { max_budget_nano: Some(dollars), ..Terms::default() };
        Some(Budget { id: "b".into(), terms, ..Budget::default() })
    };
    let mut holder = Holder { key_budget: budget(5), member_budget: budget(6), ..in_team() };
    let limit = |whose, amount| (whose, "budget".to_owned(), amount);
    let expected = [limit(Whose::Key, 5), limit(Whose::Member, 6)];
    assert_eq!(counted(&holder, "m", UserBudgets::OfAllKeys), expected);
    holder.member = None;
    assert_eq!(counted(&holder, "m", UserBudgets::OfAllKeys), expected, "the team's, for each user of it");
    holder.key.terms.max_budget_nano = Some(1);
    assert_eq!(counted(&holder, "m", UserBudgets::OfAllKeys)[0], limit(Whose::Key, 1));
}

#[test]
fn whoever_is_blocked_blocks_the_key() {
    let shut = |change: fn(&mut Holder)| {
        let mut holder = in_team();
        change(&mut holder);
        key(&holder).0.shut
    };
    assert_eq!(shut(|_| {}), None);
    assert_eq!(shut(|holder| holder.key.blocked = true), Some(Shut::Blocked));
    let team = shut(|holder| holder.team.iter_mut().for_each(|team| team.blocked = true));
    assert_eq!(team, Some(Shut::TeamBlocked));
    let user = shut(|holder| holder.user.iter_mut().for_each(|user| user.blocked = true));
    assert_eq!(user, Some(Shut::UserBlocked));
}

#[test]
fn counters_outlive_edits_and_belong_to_one_subject() {
    let terms = |amount| Terms { max_budget_nano: Some(amount), ..Terms::default() };
    let counters = |holder: &Holder| -> Vec<String> {
        let ((key, _), model) = (key(holder), model("m"));
        let charges = key.charges(&model, UserBudgets::OfAllKeys);
        charges.map(|charge| charge.counter.key().as_str().to_owned()).collect()
    };
    let all = |amount| {
        OWNERS.into_iter().fold(in_team(), |holder, whose| with_terms(holder, whose, &terms(amount)))
    };
    let before = counters(&all(1));
    assert_eq!(before, counters(&all(2)));
    let distinct: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(distinct.len(), 4, "{before:?}");
    let mut other = all(1);
    other.key.id = "k2".into();
    let shared = counters(&other).iter().filter(|counter| before.contains(counter)).count();
    assert_eq!(shared, 3, "all but the key's own");
    let reset = Terms { reset_us: Some(1), ..terms(1) };
    assert!(!before.contains(&counters(&with_terms(in_team(), Whose::Team, &reset))[0]));
    let mut sly = all(1);
    sly.key.id = "k/budget/".into();
    assert!(counters(&sly).iter().all(|counter| counter.matches('/').count() == 5), "{:?}", counters(&sly));
}

#[test]
fn a_key_is_known_by_what_it_is_made_from() {
    let mut holder = in_team();
    holder.key.budget_id = Some("b1".into());
    holder.team.iter_mut().for_each(|team| team.member_budget_id = Some("b2".into()));
    holder.key.expires_us = Some(1_999_999);
    holder.key.former = Some(FormerHash { hash: "f".into(), until_us: 1 });
    let (made, ties) = key(&holder);
    let has = |kind, id: &str| ties.contains(&tie(kind, id));
    assert!(has(Kind::Key, "k") && has(Kind::Team, "red") && has(Kind::User, "ann"), "{ties:?}");
    assert!(
        has(Kind::Member, &Member::id_of("red", "ann")) && has(Kind::Budget, "b1") && has(Kind::Budget, "b2")
    );
    assert_eq!(
        (made.label.as_str(), made.called.as_str(), made.expires_at),
        ("key:k", "sk-...abcd", Some(1))
    );
    assert_eq!(made.display_name, None);
    holder.key.alias = Some("bot".into());
    holder.key.key_type = KeyType::Management;
    let (made, _) = key(&holder);
    assert_eq!((made.called.as_str(), made.display_name.as_deref()), ("bot", Some("bot")));
    assert!(!made.routes.allow("/v1/chat/completions"));
}

#[test]
fn a_customer_has_a_list_and_limits_and_can_be_blocked() {
    let budget = Terms { max_budget_nano: Some(5), ..Terms::default() };
    let budget = Budget { id: "b".into(), terms: budget, ..Budget::default() };
    let customer = Customer {
        id: "c".into(),
        blocked: true,
        budget_id: Some("b".into()),
        models: vec!["a".into()],
        ..Customer::default()
    };
    let (made, ties) = patron(&customer, Some(&budget), &[]);
    assert_eq!((made.is_blocked, made.access.barrier(&model("b"))), (true, Some(Whose::Customer)));
    assert_eq!(made.limits.iter().map(|limit| limit.rule.amount).collect::<Vec<_>>(), [5]);
    assert_eq!(ties, [tie(Kind::Customer, "c"), tie(Kind::Budget, "b")]);
}

#[test]
fn metrics_do_not_grow_with_what_the_store_says() {
    let of_model = |budget| ModelTerms {
        max_budget_nano: Some(budget),
        requests_per_minute: Some(1),
        tokens_per_minute: Some(1),
        ..ModelTerms::default()
    };
    let terms = |model: &str, duration: &str| Terms {
        soft_budget_nano: Some(1),
        requests_per_minute: Some(1),
        windows: vec![SpendWindow { budget_duration: duration.into(), max_budget_nano: 1 }],
        models: [(model.to_owned(), of_model(1))].into(),
        ..Terms::default()
    };
    let told = |model, duration| -> Vec<_> {
        let limits = limits(&with_terms(personal(), Whose::Key, &terms(model, duration)));
        limits.iter().map(|limit| (limit.rule.owner.label(), limit.rule.label().to_owned())).collect()
    };
    let labels: Vec<_> =
        told("a", "7d").into_iter().map(|(owner, limit)| format!("{owner} {limit}")).collect();
    assert_eq!(
        labels,
        [
            "store:key budget",
            "store:key requests-per-minute",
            "store:key model-budget",
            "store:key model-requests-per-minute",
            "store:key model-tokens-per-minute",
            "store:key soft-budget",
        ]
    );
    assert_eq!(told("a", "7d"), told("b", "31d"));
}
