//! Splicing is dropping and merging: it comes to what a parsed tree comes to, and touches nothing else.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn name(text: &str) -> Step {
    Step::Name(text.to_owned())
}

fn amended(body: &str, drops: Vec<Vec<Step>>, patch: Value) -> String {
    let Value::Object(patch) = patch else { panic!("a patch is an object") };
    let amendment = Amendment::new(drops, &patch).expect("something to do");
    String::from_utf8(amendment.amend(Bytes::from(body.to_owned())).to_vec()).expect("text")
}

fn dropped(body: &str, drops: Vec<Vec<Step>>) -> String {
    amended(body, drops, json!({}))
}

#[test]
fn a_field_is_left_out_wherever_it_stands_and_the_rest_keeps_its_bytes() {
    let n = || vec![vec![name("n")]];
    assert_eq!(dropped(r#"{ "n":2 , "t":1.50e0 }"#, n()), r#"{ "t":1.50e0 }"#);
    assert_eq!(dropped(r#"{"a" : 1 , "n":2 ,"t":1}"#, n()), r#"{"a" : 1 ,"t":1}"#);
    assert_eq!(dropped(r#"{"a":1, "\u006e":2 }"#, n()), r#"{"a":1 }"#);
    assert_eq!(dropped(r#"{ "n":2 }"#, n()), "{ }");
    assert_eq!(dropped(r#"{"n":1,"n":2}"#, n()), "{}");
}

#[test]
fn what_has_nothing_to_change_is_not_copied() {
    let body = Bytes::from_static(br#"{"a":{"n":1},"b":[1], "t" : 1}"#);
    let patch = Map::from_iter([("t".to_owned(), json!(1)), ("z".to_owned(), Value::Null)]);
    let drops =
        vec![vec![name("n")], vec![name("b"), Step::All, name("n")], vec![name("a"), Step::At(0), name("n")]];
    let amendment = Amendment::new(drops, &patch).expect("something to do");
    assert_eq!(amendment.without_dropped(&body), None);
    assert_eq!(amendment.amend(body.clone()).as_ptr(), body.as_ptr());
    assert!(Amendment::new(Vec::new(), &Map::new()).is_none());
}

#[test]
fn paths_lead_into_objects_and_lists() {
    let body = r#"{"tools":[{"b":1,"x":[1],"a":2}, {"x":3},7],"m":{"t":{"x":1}, "k":2}}"#;
    let all = vec![name("tools"), Step::All, name("x")];
    assert_eq!(dropped(body, vec![all]), r#"{"tools":[{"b":1,"a":2}, {},7],"m":{"t":{"x":1}, "k":2}}"#);
    let second = vec![name("tools"), Step::At(1), name("x")];
    let deep = vec![name("m"), name("t"), name("x")];
    assert_eq!(
        dropped(body, vec![second, deep]),
        r#"{"tools":[{"b":1,"x":[1],"a":2}, {},7],"m":{"t":{}, "k":2}}"#
    );
    let whole = vec![vec![name("m"), name("k")], vec![name("m")]];
    assert_eq!(dropped(r#"{"m":{"k":1},"a":1}"#, whole), r#"{"a":1}"#);
}

#[test]
fn a_patch_replaces_in_place_merges_deletes_and_adds_at_the_end() {
    let body = r#"{ "b" : 1.50, "a": {"z":1, "y": [ 2 ]}, "c":0 }"#;
    let patch = json!({"b": "x", "a": {"y": null, "w": {"v": 1, "u": null}}, "c": null, "d\"": [null]});
    assert_eq!(amended(body, vec![], patch), r#"{ "b" : "x", "a": {"z":1,"w":{"v":1}},"d\"":[null] }"#);
    assert_eq!(amended("{}", vec![], json!({"a": {"b": null}})), r#"{"a":{}}"#);
    assert_eq!(amended(r#"{"a":[1]}"#, vec![], json!({"a": {"b": 1}})), r#"{"a":{"b":1}}"#);
}

#[test]
fn fields_are_left_out_before_the_patch_is_merged() {
    let body = r#"{"a":{"x":1,"y":2},"b":1}"#;
    let patch = json!({"a": {"z": 3}, "b": 2});
    assert_eq!(
        amended(body, vec![vec![name("a"), name("x")], vec![name("b")]], patch),
        r#"{"a":{"y":2,"z":3},"b":2}"#
    );
}

/// Section 2 of RFC 7396, on a tree.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

fn remove(target: &mut Value, path: &[Step]) {
    match (path, target) {
        ([Step::Name(last)], Value::Object(members)) => drop(members.remove(last)),
        ([Step::Name(next), rest @ ..], Value::Object(members)) => {
            members.get_mut(next).into_iter().for_each(|inner| remove(inner, rest));
        }
        ([Step::At(place), rest @ ..], Value::Array(list)) => {
            list.get_mut(*place).into_iter().for_each(|inner| remove(inner, rest));
        }
        ([Step::All, rest @ ..], Value::Array(list)) => list.iter_mut().for_each(|inner| remove(inner, rest)),
        _ => {}
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c\"\\\\,{}é]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map("[a-e]", any_value(), 0..5)
        .prop_map(|members| members.into_iter().collect())
}

fn any_path() -> impl Strategy<Value = Vec<Step>> {
    let index = prop_oneof![Just(Step::All), (0..3_usize).prop_map(Step::At)];
    let step = prop_oneof![3 => "[a-e]".prop_map(Step::Name), 1 => index];
    (proptest::collection::vec(step, 0..3), "[a-e]", "[a-e]").prop_map(|(middle, first, last)| {
        let mut path = vec![Step::Name(first)];
        path.extend(middle);
        path.push(Step::Name(last));
        path
    })
}

proptest! {
    // A failure prints its input; no file is left behind.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn splicing_equals_changing_the_parsed_tree(
        body in any_object(),
        patch in any_object(),
        drops in proptest::collection::vec(any_path(), 0..4),
        is_pretty in any::<bool>(),
    ) {
        let body = Value::Object(body);
        let text = if is_pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) };
        let text = text.expect("JSON");
        let mut expected = body;
        drops.iter().for_each(|path| remove(&mut expected, path));
        merge(&mut expected, &Value::Object(patch.clone()));
        let sent = match Amendment::new(drops, &patch) {
            Some(amendment) => amendment.amend(Bytes::from(text)),
            None => Bytes::from(text),
        };
        prop_assert_eq!(serde_json::from_slice::<Value>(&sent).expect("still JSON"), expected);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in "[\\[\\]{}\":,a-c0-9 ]{0,40}") {
        let patch = Map::from_iter([("a".to_owned(), json!({"b": 1}))]);
        let amendment = Amendment::new(vec![vec![name("a"), Step::All, name("b")]], &patch).expect("something to do");
        drop(amendment.amend(Bytes::from(bytes)));
        drop(amendment.amend(Bytes::from(text)));
    }
}
