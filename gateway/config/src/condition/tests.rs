//! Which texts are conditions, and what people are told of those that are not.

use cel::{Context, Value};

use super::*;

fn refused(text: &str) -> String {
    match Condition::read(text) {
        Ok(_) => panic!("{text} must be refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_people_write_is_read_and_holds_or_not() {
    for (text, holds) in [
        ("tokens > 100000", false),
        ("tokens < 5 && !images", false),
        ("'a tag' in tags", true),
        ("tags.exists(t, t.startsWith('a'))", true),
        ("tags.exists(t, ['a', 'b'].exists(p, t.startsWith(p)))", true),
        ("team in ['a name', 'red'] || user == ''", true),
        ("language == 'anthropic' ? stream : json_schema", true),
        ("size(tags) == 1 && model.contains('name') && max_tokens <= 1", true),
        ("tokens + max_tokens > 1 // in all", true),
        ("tags.filter(t, t != customer).size() == 1", true),
    ] {
        let condition = Condition::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut facts = Context::default();
        for fact in FACTS {
            facts.add_variable_from_value(*fact, sample(fact));
        }
        assert_eq!(condition.program().execute(&facts), Ok(Value::Bool(holds)), "{text}");
    }
}

#[test]
fn what_fails_for_some_requests_only_is_no_fault() {
    for text in ["tags[7] == 'gold'", "int(user) > 5", "{'red': true}[team]"] {
        assert!(Condition::read(text).is_ok(), "{text}");
    }
}

#[test]
fn a_misspelt_fact_is_told_with_the_list_of_facts() {
    let message = refused("token > 5");
    assert!(message.starts_with("speaks of token, which is no fact of a request"), "{message}");
    assert!(message.ends_with("customer, key, team, user, language"), "{message}");
    assert!(refused("tags.exists(t, t == x)").starts_with("speaks of x,"));
    assert!(refused("tags.exists(t, true) && t == ''").starts_with("speaks of t,"), "t ends with its loop");
    assert!(refused("Request{a: tokens} == 1").starts_with("calls Request,"));
}

#[test]
fn no_cel_is_told_in_the_words_of_the_parser() {
    let message = refused("tokens >");
    assert!(message.starts_with("is no CEL expression: line 1, column 9: Syntax error: "), "{message}");
    assert!(message.ends_with("; the facts are model, tags, tokens, max_tokens, stream, tools, images, json_schema, customer, key, team, user, language"), "{message}");
    assert!(message.len() < 500, "{message}");
    for text in ["", " ", "a b", "'open", "tokens = 5", "tokens > 5 and stream", "@", "\u{1f600}"] {
        assert!(refused(text).starts_with("is no CEL expression: "), "{text}");
    }
}

#[test]
fn what_could_not_run_is_refused() {
    assert!(refused("matches(model, 'a')").starts_with("calls matches, which conditions cannot"));
    assert!(refused("now() > 5").starts_with("calls now,"));
    assert_eq!(refused("tokens"), "is a number, not true or false: compare it with something");
    assert_eq!(refused("tags"), "is a list, not true or false: compare it with something");
    assert!(refused("tokens > 'many'").starts_with("compares or computes with what does not go together"));
    assert!(refused(&"a".repeat(1_025)).starts_with("has more than 1024 characters"));
}

/// Nobody's text may end a process: threads of tests have two megabytes of stack, as have those of servers.
#[test]
fn no_text_breaks_through_the_stack_or_takes_long() {
    let nested = |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
    for (open, close) in [("(", ")"), ("[", "]"), ("tags[", "]"), ("size(", ")"), ("{1:", "}"), ("!", "")] {
        // Twenty deep would be too much for a thread of two megabytes already, and is no condition or one that never holds.
        drop(Condition::read(&nested(open, close, 20)));
        for n in [90, 200, 500] {
            let text: String = nested(open, close, n).chars().take(LONGEST).collect();
            assert!(Condition::read(&text).is_err(), "{text}");
        }
    }
    for (first, more) in [("tokens", "+1"), ("tokens", ".a"), ("tags", "[0]"), ("true", "?1:1"), ("1", "==1")]
    {
        let text: String = format!("{first}{}", more.repeat(500)).chars().take(1_020).collect();
        assert!(Condition::read(&text).is_err(), "{text}");
    }
    let long = format!("{}tokens > 5", "tokens > 9 || ".repeat(70));
    assert!(Condition::read(&long).is_ok(), "alternatives are not nested");
    let list = format!("[{}1]", "1,".repeat(100));
    let loops = format!("{list}.all(a, {list}.all(b, {list}.all(c, a + b + c > 0)))");
    assert!(refused(&loops).starts_with("has loops in loops in loops"));
}
