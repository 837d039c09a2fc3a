//! Cases after the providers' documentation: platform.openai.com/docs/api-reference/embeddings/create and
//! ai.google.dev/api/embeddings, read 2026-11-25.

use bytes::Bytes;
use catalogue::EmbeddingDialect::{GeminiEmbeddings, OpenaiEmbeddings};
use serde_json::{Value, json};

use super::*;
use crate::exchange::Judged;
use crate::loss::OnLoss;
use crate::scan::ScanError;

fn decoded(form: Form, body: &Value) -> Request {
    decode_request(form, &body.to_string()).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// The bodies for the other language, and the names of what was lost: of hints, and of meaning.
fn translated(form: Form, body: &Value) -> (Vec<Value>, Vec<String>, Vec<String>) {
    let mut request = decoded(form, body);
    request.model = "up".into();
    let other = if form == Form::Openai { GeminiEmbeddings } else { OpenaiEmbeddings };
    let encoded = encode_request(other, &request);
    let named = |weight| {
        let of = encoded.losses.all().iter().filter(|loss| loss.weight == weight);
        of.map(|loss| loss.field.clone()).collect()
    };
    let bodies = encoded.bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    (bodies, named(Weight::Hint), named(Weight::Meaning))
}

#[test]
fn a_text_and_a_list_of_texts_become_one_batch_for_google() {
    let (bodies, hints, meaning) = translated(
        Form::Openai,
        &json!({"model": "m", "input": "a\n\"b\"", "dimensions": 256, "encoding_format": "base64", "user": "u"}),
    );
    let one = json!({"model": "models/up", "content": {"parts": [{"text": "a\n\"b\""}]}, "outputDimensionality": 256});
    assert_eq!(bodies, [json!({"requests": [one]})]);
    assert_eq!((hints, meaning), (vec!["user".to_owned()], Vec::new()));
    let (bodies, hints, meaning) = translated(Form::Openai, &json!({"model": "m", "input": ["é", "漢"]}));
    let texts: Vec<_> =
        (0..2).map(|at| bodies[0]["requests"][at]["content"]["parts"][0]["text"].clone()).collect();
    assert_eq!(texts, [json!("é"), json!("漢")]);
    assert!(hints.is_empty() && meaning.is_empty(), "{hints:?} {meaning:?}");
}

#[test]
fn more_than_a_hundred_texts_are_several_calls_in_order() {
    let texts: Vec<_> = (0..250).map(|at| at.to_string()).collect();
    let (bodies, _, _) = translated(Form::Openai, &json!({"input": texts}));
    let sent: Vec<Vec<Value>> =
        bodies.iter().map(|body| body["requests"].as_array().unwrap().clone()).collect();
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
    let sent: Vec<_> = sent.concat().iter().map(|one| one["content"]["parts"][0]["text"].clone()).collect();
    assert_eq!(json!(sent), json!(texts));
}

#[test]
fn tokens_and_images_change_the_meaning() {
    for (input, place) in [
        (json!([1, 2, 3]), "input"),
        (json!([[1, 2], [3]]), "input[0]"),
        (json!(["a", {"image": "x"}]), "input[1]"),
        (json!([["a"], "b"]), "input[0]"),
    ] {
        let request = decoded(Form::Openai, &json!({"input": input}));
        let losses = encode_request(GeminiEmbeddings, &request).losses;
        assert_eq!(losses.refused(OnLoss::Report).map(|loss| loss.field.as_str()), Some(place), "{input}");
    }
    let image = json!({"content": {"parts": [{"text": "a"}, {"inlineData": {"data": "eA=="}}]}});
    let (bodies, _, meaning) = translated(Form::GeminiOne, &image);
    assert_eq!((bodies[0]["input"].clone(), meaning), (json!("a"), vec!["content.parts".to_owned()]));
}

#[test]
fn fields_that_nobody_models_are_told_and_sizes_are_no_hint() {
    let body = json!({"input": "a", "input_type": "query", "dimensions": "9", "truncate": null, "output_dtype": "int8"});
    let (_, hints, meaning) = translated(Form::Openai, &body);
    assert_eq!(hints, ["input_type"]);
    assert_eq!(meaning, ["dimensions", "output_dtype"]);
    let odd = json!({"input": "a", "encoding_format": "base64_int8"});
    assert_eq!(translated(Form::Openai, &odd).2, ["encoding_format"]);
}

#[test]
fn what_is_no_input_is_refused_with_the_field() {
    for (form, body, field) in [
        (Form::Openai, json!({}), "input"),
        (Form::Openai, json!({"input": null}), "input"),
        (Form::Openai, json!({"input": []}), "input"),
        (Form::Openai, json!({"input": 7}), "input"),
        (Form::Openai, json!({"input": vec!["a"; MOST_INPUTS + 1]}), "input"),
        (Form::GeminiOne, json!({"content": "a"}), "content"),
        (Form::GeminiOne, json!({"content": {}}), "content"),
        (Form::GeminiBatch, json!({"requests": []}), "requests"),
        (Form::GeminiBatch, json!({"content": {}}), "requests"),
        (
            Form::GeminiBatch,
            json!({"requests": [{"content": {"parts": [{"text": "a"}]}}, {}]}),
            "requests[1].content",
        ),
    ] {
        let error = decode_request(form, &body.to_string()).expect_err(field);
        assert_eq!(error.field, field, "{error}");
    }
    let most = json!({"input": vec![[1]; MOST_INPUTS]});
    assert_eq!(decoded(Form::Openai, &most).inputs.len(), MOST_INPUTS);
    let tokens = json!({"input": vec![1; MOST_INPUTS + 1]});
    assert_eq!(decoded(Form::Openai, &tokens).inputs.len(), 1, "one long text in tokens");
}

#[test]
fn googles_requests_become_one_of_openais() {
    let one = |text: &str| {
        json!({"model": "models/m", "content": {"parts": [{"text": text}], "role": "user"},
        "taskType": "RETRIEVAL_DOCUMENT", "title": "t", "outputDimensionality": 64})
    };
    let (bodies, hints, meaning) = translated(Form::GeminiBatch, &json!({"requests": [one("a"), one("b")]}));
    assert_eq!(bodies, [json!({"model": "up", "input": ["a", "b"], "dimensions": 64})]);
    assert_eq!(hints, ["requests[].taskType", "requests[].title"], "each once");
    assert!(meaning.is_empty(), "{meaning:?}");
    let two_parts = json!({"content": {"parts": [{"text": "a"}, {"text": "b"}]},
        "embedContentConfig": {"task_type": "CLUSTERING", "outputDimensionality": 8, "autoTruncate": true}});
    let (bodies, hints, _) = translated(Form::GeminiOne, &two_parts);
    assert_eq!(bodies, [json!({"model": "up", "input": "a\nb", "dimensions": 8})]);
    assert_eq!(hints, ["content.parts", "embedContentConfig.task_type", "embedContentConfig.autoTruncate"]);
}

#[test]
fn one_call_has_vectors_of_one_size() {
    let one = |size: Value| json!({"content": {"parts": {"text": "a"}}, "output_dimensionality": size});
    let body = json!({"requests": [one(json!(8)), one(json!(9)), one(Value::Null)]});
    let (bodies, _, meaning) = translated(Form::GeminiBatch, &body);
    assert_eq!(bodies[0]["dimensions"], 8);
    assert_eq!(meaning, ["requests[1].output_dimensionality", "requests[2].outputDimensionality"]);
}

/// Three numbers that four bytes hold exactly.
const NUMBERS: &str = "[0.5, -1.25,\n 3e2]";
const BASE64: &str = "AAAAPwAAoL8AAJZD";

fn judged(client: Form, provider: Form, encoding: Encoding, answers: &[Value]) -> Judged {
    let exchange = Exchange { client, provider, model: "any".into(), encoding, inputs: answers.len() };
    exchange.judge(answers.iter().map(|answer| Bytes::from(answer.to_string())).collect())
}

fn body(judged: Judged) -> (Value, Option<u64>, Vec<String>) {
    let Judged::Answer { body, usage, losses } = judged else { panic!("{judged:?}") };
    let names = losses.all().iter().map(|loss| loss.field.clone()).collect();
    (serde_json::from_slice(&body).unwrap(), usage.map(|usage| usage.input()), names)
}

#[test]
fn numbers_become_base64_and_back() {
    let raw = serde_json::value::RawValue::from_string(NUMBERS.into()).unwrap();
    let floats = Vector::read(&raw).unwrap();
    let written = |vector: &Vector<'_>, encoding| {
        let mut out = String::new();
        vector.write(encoding, &mut out).map(|()| out)
    };
    assert_eq!(written(&floats, Encoding::Base64), Some(format!("\"{BASE64}\"")));
    assert_eq!(written(&floats, Encoding::Float).as_deref(), Some("[0.5,-1.25,3e2]"), "as spelt");
    let coded = Vector::Base64(BASE64.into());
    assert_eq!(coded.numbers(), Some(vec![0.5, -1.25, 300.0]));
    assert_eq!(written(&coded, Encoding::Float).as_deref(), Some("[0.5,-1.25,300]"));
    assert_eq!(written(&coded, Encoding::Base64), Some(format!("\"{BASE64}\"")));
    for odd in ["AAAA", "AA A", "AADAfw=="] {
        assert_eq!(written(&Vector::Base64(odd.into()), Encoding::Float), None, "{odd}");
    }
    for odd in ["[[1]]", "[\"a\"]", "[null]", "7", "{}"] {
        let raw = serde_json::value::RawValue::from_string(odd.into()).unwrap();
        assert_eq!(Vector::read(&raw), None, "{odd}");
    }
}

#[test]
fn googles_answers_are_told_in_openais_words() {
    let parts = [
        json!({"embeddings": [{"values": [0.5, -1.25, 300]}], "usageMetadata": {"promptTokenCount": 3,
        "promptTokenDetails": [{"modality": "TEXT", "tokenCount": 3}]}}),
        json!({"embeddings": [{"values": [1]}], "usageMetadata": {"promptTokenCount": 4}}),
    ];
    let (told, usage, losses) = body(judged(Form::Openai, Form::GeminiBatch, Encoding::Base64, &parts));
    assert_eq!(
        told,
        json!({"object": "list", "model": "any", "usage": {"prompt_tokens": 7, "total_tokens": 7}, "data": [
            {"object": "embedding", "index": 0, "embedding": BASE64},
            {"object": "embedding", "index": 1, "embedding": "AACAPw=="},
        ]})
    );
    assert_eq!((usage, losses), (Some(7), Vec::new()));
    let silent = [parts[0].clone(), json!({"embeddings": [{"values": [1], "shape": [1]}]})];
    let (told, usage, losses) = body(judged(Form::Openai, Form::GeminiBatch, Encoding::Float, &silent));
    assert_eq!((told.get("usage"), usage), (None, None), "half a count is none");
    assert_eq!(
        (told["data"][0]["embedding"].clone(), losses),
        (json!([0.5, -1.25, 300]), vec!["embeddings[].shape".to_owned()])
    );
}

#[test]
fn openais_answers_are_told_in_googles_words_and_in_order() {
    let answer = json!({"object": "list", "model": "x", "id": "e-1", "usage": {"prompt_tokens": 5, "total_tokens": 5},
        "data": [{"object": "embedding", "index": 0, "embedding": [2.0]}]});
    let (told, usage, losses) = body(judged(Form::GeminiOne, Form::Openai, Encoding::Float, &[answer]));
    assert_eq!(told, json!({"embedding": {"values": [2.0]}, "usageMetadata": {"promptTokenCount": 5}}));
    assert_eq!((usage, losses), (Some(5), vec!["id".to_owned()]));
    let swapped = json!({"data": [{"index": 1, "embedding": [1]}, {"index": 0, "embedding": BASE64}], "usage": {"total_tokens": 2}});
    let exchange = Exchange {
        client: Form::GeminiBatch,
        provider: Form::Openai,
        model: "any".into(),
        encoding: Encoding::Float,
        inputs: 2,
    };
    let (told, usage, _) = body(exchange.judge(vec![swapped.to_string().into()]));
    assert_eq!(told["embeddings"], json!([{"values": [0.5, -1.25, 300]}, {"values": [1]}]));
    assert_eq!(usage, Some(2), "some tell the total only");
}

#[test]
fn a_wrong_number_of_vectors_is_no_answer_and_an_error_is_one() {
    let none = json!({"embeddings": []});
    assert!(matches!(judged(Form::Openai, Form::GeminiBatch, Encoding::Float, &[none]), Judged::Garbage));
    let odd = json!({"embeddings": [{"values": "x"}]});
    assert!(matches!(judged(Form::Openai, Form::GeminiBatch, Encoding::Float, &[odd]), Judged::Garbage));
    let error = json!({"error": {"code": 429, "message": "slow"}});
    assert!(matches!(judged(Form::Openai, Form::Openai, Encoding::Float, &[error]), Judged::Refusal(_)));
    assert!(matches!(judged(Form::Openai, Form::Openai, Encoding::Float, &[json!([])]), Judged::Garbage));
}

#[test]
fn an_estimate_is_told_in_an_answer_that_has_none() {
    let told = |form, body: &'static str| tell_usage(form, Bytes::from_static(body.as_bytes()), 9);
    assert_eq!(
        told(Form::Openai, r#"{"data":[]}"#),
        r#"{"data":[],"usage":{"prompt_tokens":9,"total_tokens":9}}"#
    );
    assert_eq!(told(Form::GeminiOne, "{}"), r#"{"usageMetadata":{"promptTokenCount":9}}"#);
    assert_eq!(told(Form::Openai, "[]"), "[]");
}

#[test]
fn each_name_of_a_batch_changes_and_no_other_byte() {
    let text = r#"{ "requests":[{"model": "models/fast","content":{"model":"fast"}} , 7, {"x":1,"model":"fast"}],"model":"models\/fast"}"#;
    let body = Bytes::from_static(text.as_bytes());
    let places = name_places(Form::GeminiBatch, &body, "fast");
    // In the order of the list that a splice needs.
    let places = places.expect("sound");
    assert!(places.is_sorted_by_key(|place| place.start), "{places:?}");
    let expected = r#"{ "requests":[{"model": "models/up","content":{"model":"fast"}} , 7, {"x":1,"model":"models/up"}],"model":"models/up"}"#;
    assert_eq!(with_model(&body, &places, "models/up"), expected);
    let one = Bytes::from_static(br#"{"model":"models/up","requests":[{"model":"no"}]}"#);
    let places = name_places(Form::GeminiOne, &one, "up").expect("sound");
    assert_eq!(with_model(&one, &places, "up").as_ptr(), one.as_ptr(), "the same name costs no copy");
}

#[test]
fn a_name_that_is_another_or_there_twice_is_refused() {
    let places = |body: &str| name_places(Form::GeminiBatch, body.as_bytes(), "fast");
    assert_eq!(
        places(r#"{"requests":[{"model":"models/fast"},{"model":"models/slow"}]}"#),
        Err(ScanError::OtherModel { place: "requests[1].model".into() })
    );
    assert_eq!(
        places(r#"{"requests":[{"model":"fast","model":"slow"}]}"#),
        Err(ScanError::DuplicateKey { key: "model".into() })
    );
    assert_eq!(places(r#"{"requests":7,"model":null}"#), Ok(Vec::new()), "the provider's to refuse");
    assert_eq!(places("[]"), Err(ScanError::NotObject));
}

#[test]
fn tokens_are_counted_by_their_number_and_texts_by_their_words() {
    let count =
        |input: Value| decoded(Form::Openai, &json!({"input": input})).tokens(&mut |text| text.len() as u64);
    assert_eq!(count(json!(["four", "a\"b"])), 7);
    assert_eq!(count(json!([[1, 2, 3], [4]])), 4);
}
