//! A key with those above it.

use store::accounts::{Budget, FormerHash, Key, Member, ModelGroup, Team, Terms, User};

use super::{key, put};
use crate::both;
use crate::place::Place;

both!(
    a_key_comes_with_all_that_it_inherits_from,
    a_replaced_secret_leads_to_the_same_key,
    what_a_key_names_and_is_not_there_is_absent,
);

fn budget(id: &str, dollars: i64) -> Budget {
    let terms = Terms { max_budget_nano: Some(dollars * 1_000_000_000), ..Terms::default() };
    Budget { id: id.into(), terms, ..Budget::default() }
}

async fn a_key_comes_with_all_that_it_inherits_from(place: &Place) {
    let store = place.open().await;
    for one in [budget("mine", 1), budget("members", 2), budget("ann's", 3)] {
        put(&store, &one).await;
    }
    let models = vec!["fast".into(), "gpt-*".into()];
    let team = Team { id: "t".into(), models, member_budget_id: Some("members".into()), ..Team::default() };
    put(&store, &team).await;
    for id in ["ann", "bob"] {
        put(&store, &User { id: id.into(), ..User::default() }).await;
    }
    let ann = Member {
        team_id: "t".into(),
        user_id: "ann".into(),
        budget_id: Some("ann's".into()),
        ..Member::default()
    };
    put(&store, &ann).await;
    for (id, name) in [("g1", "fast"), ("g2", "slow"), ("g3", "other")] {
        put(&store, &ModelGroup { id: id.into(), name: name.into(), ..ModelGroup::default() }).await;
    }
    let of = |number, user: &str| Key {
        team_id: Some("t".into()),
        user_id: Some(user.into()),
        budget_id: Some("mine".into()),
        model_groups: vec!["g2".into()],
        ..key(number)
    };
    put(&store, &of(1, "ann")).await;
    put(&store, &of(2, "bob")).await;
    let holder = store.holder_by_hash(&key(1).hash).await.unwrap().unwrap();
    assert_eq!((holder.key.id.as_str(), holder.key.seq > 0), ("k1", true));
    assert_eq!(holder.key_budget, Some(budget("mine", 1)));
    assert_eq!(holder.team.map(|team| team.id).as_deref(), Some("t"));
    assert_eq!(holder.user.map(|user| user.id).as_deref(), Some("ann"));
    assert_eq!(holder.member.map(|member| member.user_id).as_deref(), Some("ann"));
    assert_eq!(holder.member_budget, Some(budget("ann's", 3)));
    let mut groups: Vec<_> = holder.groups.into_iter().map(|group| group.name).collect();
    groups.sort();
    assert_eq!(groups, ["fast", "slow"]);
    let holder = store.holder_by_hash(&key(2).hash).await.unwrap().unwrap();
    assert_eq!((holder.member, holder.member_budget), (None, Some(budget("members", 2))));
}

async fn a_replaced_secret_leads_to_the_same_key(place: &Place) {
    let store = place.open().await;
    put(&store, &key(1)).await;
    let before: Key = super::get(&store, "k1").await;
    let former = Some(FormerHash { hash: before.hash.clone(), until_us: 9 });
    put(&store, &Key { hash: "ff".into(), former: former.clone(), ..before.clone() }).await;
    for hash in ["ff", &before.hash] {
        let holder = store.holder_by_hash(hash).await.unwrap().unwrap();
        assert_eq!((holder.key.id.as_str(), &holder.key.former), ("k1", &former));
    }
}

async fn what_a_key_names_and_is_not_there_is_absent(place: &Place) {
    let store = place.open().await;
    let name = || Some("nobody".to_owned());
    let lost = Key { team_id: name(), user_id: name(), budget_id: name(), ..key(1) };
    put(&store, &lost).await;
    let holder = store.holder_by_hash(&lost.hash).await.unwrap().unwrap();
    assert_eq!((holder.team, holder.user, holder.member, holder.key_budget), (None, None, None, None));
    assert_eq!(store.holder_by_hash("none").await.unwrap(), None);
}
