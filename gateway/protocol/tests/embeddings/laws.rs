//! Relay, identity, honesty, tolerance, and that vectors survive a translation.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bytes::Bytes;
use catalogue::EmbeddingDialect;
use protocol::embeddings::{
    Encoding, Exchange, Form, decode_answer, decode_request, encode_answer, encode_request, name_places,
    with_model,
};
use protocol::exchange::Judged;
use protocol::scan::Envelope;
use protocol::splice;
use serde_json::{Value, json};

const FORMS: [(Form, &str); 3] =
    [(Form::Openai, "openai"), (Form::GeminiOne, "gemini-one"), (Form::GeminiBatch, "gemini-batch")];

struct Case {
    place: String,
    form: Form,
    request: Value,
    /// Of a status of success.
    answer: Option<Value>,
}

/// All cases, read once. The authored ones are never none.
fn all_cases() -> &'static [Case] {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    CASES.get_or_init(|| {
        let mut all: Vec<Case> = FORMS.into_iter().flat_map(|(form, name)| authored(form, name)).collect();
        let authored = all.len();
        if let Some(recorded) = std::env::var_os("FAIRLEAD_CORPUS") {
            all.extend(json_files(Path::new(&recorded)).iter().filter_map(|file| read(file, recorded_form)));
            assert!(all.len() > authored, "FAIRLEAD_CORPUS has no embeddings");
        }
        println!("{authored} authored, {} recorded", all.len() - authored);
        all
    })
}

fn authored(form: Form, name: &str) -> Vec<Case> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/embeddings").join(name);
    let all: Vec<_> = json_files(&own).iter().filter_map(|file| read(file, |_| Some(form))).collect();
    assert!(!all.is_empty(), "{name} has no cases of our own");
    all
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|end| end == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn read(file: &Path, form: impl Fn(&Value) -> Option<Form>) -> Option<Case> {
    let text = std::fs::read_to_string(file).expect("readable");
    // Most of what is recorded is something else, and long.
    if !text.contains("mbed") {
        return None;
    }
    let exchange: Value = serde_json::from_str(&text).expect("JSON");
    let form = form(&exchange)?;
    let response = &exchange["response"];
    let answer =
        (response["status"] == 200 && response["body"].is_object()).then(|| response["body"].clone());
    let request = exchange["request"]["body"].clone();
    // A request that was refused may be none.
    (answer.is_some() || decode_request(form, &request.to_string()).is_ok()).then(|| Case {
        place: file.display().to_string(),
        form,
        request,
        answer,
    })
}

/// Cohere's, Bedrock's, Vertex's and Ollama's own forms are not ours; Perplexity writes numbers of one byte each.
fn recorded_form(exchange: &Value) -> Option<Form> {
    let path = exchange["request"]["path"].as_str()?.split('?').next()?;
    match exchange["kind"].as_str()? {
        "embeddings" if exchange["provider"] == "perplexity" => None,
        "embeddings" if path.ends_with(":embedContent") => Some(Form::GeminiOne),
        "embeddings" if path.ends_with(":batchEmbedContents") => Some(Form::GeminiBatch),
        "embeddings" if path.ends_with("/embeddings") => Some(Form::Openai),
        _ => None,
    }
}

/// Holds `law` over all cases; it says how often it was held in one.
fn hold(name: &str, law: impl Fn(&Case) -> usize) {
    for (form, form_name) in FORMS {
        let held: usize = all_cases().iter().filter(|case| case.form == form).map(&law).sum();
        println!("{name}, {form_name}: held {held} times");
        assert!(held > 0, "{name}: nothing to hold it over");
    }
}

fn other(form: Form) -> EmbeddingDialect {
    match form {
        Form::Openai => EmbeddingDialect::GeminiEmbeddings,
        Form::GeminiOne | Form::GeminiBatch => EmbeddingDialect::OpenaiEmbeddings,
    }
}

#[test]
fn a_request_written_anew_is_the_request() {
    hold("identity", |case| {
        let request = decode_request(case.form, &case.request.to_string()).expect(&case.place);
        let encoded = encode_request(case.form.dialect(), &request);
        assert_eq!(encoded.losses.all(), [], "{}: a loss at home", case.place);
        let [body] = encoded.bodies.as_slice() else { return 0 };
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), case.request, "{}", case.place);
        1
    });
}

#[test]
fn a_relay_changes_the_name_and_no_other_byte() {
    hold("relay", |case| {
        let body = Bytes::from(case.request.to_string());
        let (there, back) = match case.form {
            Form::Openai => {
                let envelope = Envelope::scan(&body).expect(&case.place);
                let there = splice::with_model(&body, &envelope, "other");
                (there.clone(), splice::with_model(&there, &Envelope::scan(&there).unwrap(), &envelope.model))
            }
            form => {
                let name = decode_request(form, &case.request.to_string()).expect(&case.place).model;
                let places = name_places(form, &body, &name).expect(&case.place);
                let there = with_model(&body, &places, "other");
                (there.clone(), with_model(&there, &name_places(form, &there, "other").unwrap(), &name))
            }
        };
        assert_eq!(back, body, "{}: there and back changes bytes", case.place);
        let mut expected = case.request.clone();
        rename(&mut expected, case.form);
        assert_eq!(serde_json::from_slice::<Value>(&there).unwrap(), expected, "{}", case.place);
        let Some(answer) = &case.answer else { return 1 };
        let answer = Bytes::from(answer.to_string());
        let (model, encoding) = ("any".to_owned(), Encoding::Float);
        let exchange = Exchange { client: case.form, provider: case.form, model, encoding, inputs: 0 };
        let Judged::Answer { body, .. } = exchange.judge(vec![answer.clone()]) else {
            panic!("{}: a good answer is refused", case.place)
        };
        assert_eq!(body.as_ptr(), answer.as_ptr(), "{}: an answer is copied", case.place);
        2
    });
}

/// The same request for the model `other`.
fn rename(request: &mut Value, form: Form) {
    let name = if form == Form::Openai { json!("other") } else { json!("models/other") };
    let requests = request.get_mut("requests").and_then(Value::as_array_mut);
    let mut names: Vec<_> = requests.into_iter().flatten().filter_map(|one| one.get_mut("model")).collect();
    names.iter_mut().for_each(|place| **place = name.clone());
    if let Some(place) = request.get_mut("model") {
        *place = name;
    }
}

#[test]
fn vectors_and_their_count_survive_any_translation() {
    hold("vectors", |case| {
        let Some(answer) = &case.answer else { return 0 };
        let text = answer.to_string();
        let first = decode_answer(case.form, &text).expect(&case.place);
        let numbers = |answer: &protocol::embeddings::Answer<'_>| -> Vec<_> {
            answer.vectors.iter().map(|vector| vector.numbers().expect("numbers")).collect()
        };
        for (form, encoding) in [
            (Form::Openai, Encoding::Float),
            (Form::Openai, Encoding::Base64),
            (Form::GeminiBatch, Encoding::Float),
        ] {
            let told = encode_answer(form, &first, "any", encoding).expect(&case.place);
            let second = decode_answer(form, &told).expect(&case.place);
            assert_eq!(numbers(&second), numbers(&first), "{} as {form:?}, {encoding:?}", case.place);
            let inputs = |usage: Option<protocol::usage::Usage>| usage.map(|usage| usage.input());
            assert_eq!(inputs(second.usage), inputs(first.usage), "{} as {form:?}", case.place);
        }
        1
    });
}

const SENTINEL: &str = "zq7SENTINELqz";

#[test]
fn what_is_planted_in_a_request_is_carried_or_told() {
    hold("honesty", |case| {
        let mut checked = 0;
        // Roles mean nothing here, and models are the gateway's to name.
        let judged = |pointer: &&String| !pointer.ends_with("/role") && !pointer.ends_with("/model");
        for pointer in leaves(&case.request).iter().filter(judged) {
            let mut planted = case.request.clone();
            *planted.pointer_mut(pointer).unwrap() = json!(SENTINEL);
            let Ok(request) = decode_request(case.form, &planted.to_string()) else { continue };
            let encoded = encode_request(other(case.form), &request);
            let told = encoded.losses.all().iter().any(|loss| covers(&loss.field, pointer));
            let carried = encoded.bodies.iter().any(|body| body.contains(SENTINEL));
            assert!(carried || told, "{}: {pointer} is lost in silence: {:?}", case.place, encoded.losses);
            checked += 1;
        }
        checked
    });
}

/// A loss covers the field it names and all that is in it; `requests[]` is each of them.
fn covers(field: &str, pointer: &str) -> bool {
    let parts: Vec<_> = field.split(['.', '[']).map(|part| part.trim_end_matches(']')).collect();
    let steps: Vec<_> = pointer.split('/').skip(1).collect();
    parts.len() <= steps.len() && parts.iter().zip(&steps).all(|(part, step)| part.is_empty() || part == step)
}

/// The pointers of all strings, numbers and truth values.
fn leaves(value: &Value) -> Vec<String> {
    let all = pointers(value);
    all.into_iter()
        .filter(|at| value.pointer(at).is_some_and(|one| !one.is_object() && !one.is_array()))
        .collect()
}

fn pointers(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        // Vectors are long, and their numbers all alike.
        Value::Array(items) => {
            items.iter().enumerate().take(3).map(|(at, one)| (at.to_string(), one)).collect()
        }
        _ => Vec::new(),
    };
    let nested = inner.into_iter().flat_map(|(key, value)| {
        let below = pointers(value).into_iter().map(|rest| format!("/{key}{rest}")).collect::<Vec<_>>();
        std::iter::once(format!("/{key}")).chain(below)
    });
    nested.collect()
}

#[test]
fn a_field_that_is_not_needed_may_be_missing_or_odd() {
    hold("tolerance", |case| {
        let needed = ["input", "requests", "content", "parts", "text"];
        let request = |text: &str| decode_request(case.form, text).is_ok();
        let mut held = tolerates(&case.place, &case.request, &needed, request);
        if let Some(answer) = &case.answer {
            let needed = ["data", "embedding", "embeddings", "values"];
            held += tolerates(&case.place, &shortened(answer), &needed, |text| {
                decode_answer(case.form, text).is_some()
            });
        }
        held
    });
}

/// Deletes and retypes each field that has nothing of what is `needed` in or above it. Nothing may panic.
fn tolerates(place: &str, whole: &Value, needed: &[&str], reads: impl Fn(&str) -> bool) -> usize {
    let mut held = 0;
    for pointer in pointers(whole) {
        let is_free = !pointer.split('/').any(|step| needed.contains(&step));
        for odd in [None, Some(json!(7.5)), Some(json!("odd")), Some(json!([])), Some(json!({"a": 1}))] {
            let mut changed = whole.clone();
            if let Some(odd) = &odd {
                *changed.pointer_mut(&pointer).unwrap() = odd.clone();
            } else {
                remove(&mut changed, &pointer);
            }
            let is_read = reads(&changed.to_string());
            assert!(is_read || !is_free, "{place}: {pointer} as {odd:?} is not read");
            held += usize::from(is_read);
        }
    }
    held
}

/// With three numbers in each vector: thousands of changes are made to it.
fn shortened(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().take(3).map(shortened).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), shortened(value))).collect(),
        _ => value.clone(),
    }
}

fn remove(value: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.remove(key)),
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        _ => {}
    }
}
