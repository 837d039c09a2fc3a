//! Texts that become vectors: requests in every form, the names in them, and answers put together for every client.

use bytes::Bytes;
use catalogue::EmbeddingDialect;
use protocol::count::Countable;
use protocol::embeddings::{
    Encoding, Exchange, Form, MOST_INPUTS, Request, decode_answer, decode_request, encode_request,
    name_places, tell_usage, with_model,
};
use protocol::exchange::Judged;

use super::sound;

const FORMS: [Form; 3] = [Form::Openai, Form::GeminiOne, Form::GeminiBatch];

pub(crate) fn check(bytes: &[u8]) {
    FORMS.into_iter().for_each(|form| names(form, bytes));
    let Ok(body) = std::str::from_utf8(bytes) else { return };
    for form in FORMS {
        if let Ok(request) = decode_request(form, body) {
            written(form, &request, bytes);
        }
        if let Some(answer) = decode_answer(form, body) {
            answer.vectors.iter().for_each(|vector| drop(vector.numbers()));
            FORMS.into_iter().for_each(|client| judged(client, form, answer.vectors.len(), bytes));
        }
    }
}

fn written(form: Form, request: &Request, input: &[u8]) {
    let most = 1..=MOST_INPUTS;
    assert!(most.contains(&request.inputs.len()), "{form:?} has {} inputs", request.inputs.len());
    let tokens = request.tokens(&mut |text| text.len() as u64);
    assert!(tokens <= input.len() as u64, "{form:?}: {tokens} tokens of {} bytes", input.len());
    for dialect in EmbeddingDialect::ALL {
        let what = format!("a request of {form:?} in {}", dialect.name());
        let encoded = encode_request(dialect, request);
        encoded.bodies.iter().for_each(|body| sound::object(&what, body));
        let losses: usize = encoded.losses.all().iter().map(|loss| loss.field.len()).sum();
        let written: usize = encoded.bodies.iter().map(String::len).sum();
        // Each call and each request of a batch names the model once more.
        sound::message_size(&what, written + losses, &input.repeat(1 + request.model.len()));
        if let ([body], true) = (encoded.bodies.as_slice(), form.dialect() == dialect) {
            let again = decode_request(form, body).map(|request| encode_request(dialect, &request).bodies);
            sound::same_json(&what, body, &again.unwrap_or_default().concat());
        }
    }
}

/// The names change and nothing else does.
fn names(form: Form, bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    let text = String::from_utf8_lossy(bytes);
    let named = decode_request(form, &text).map(|request| request.model).unwrap_or_default();
    let Ok(places) = name_places(form, bytes, &named) else { return };
    let ends = places.iter().flat_map(|place| [place.start, place.end]);
    assert!(ends.is_sorted(), "names one in another: {places:?}");
    let changed = with_model(&body, &places, "an\"other");
    let again = name_places(form, &changed, "an\"other").unwrap_or_default();
    assert!(again.len() == places.len(), "a name is lost: {}", String::from_utf8_lossy(&changed));
    assert!(around(&changed, &again) == around(&body, &places), "more than the names has changed");
}

/// What is not in `places`.
fn around(body: &[u8], places: &[std::ops::Range<usize>]) -> Vec<u8> {
    let starts = std::iter::once(0).chain(places.iter().map(|place| place.end));
    let ends = places.iter().map(|place| place.start).chain([body.len()]);
    starts.zip(ends).filter_map(|(start, end)| body.get(start..end)).collect::<Vec<_>>().concat()
}

fn judged(client: Form, provider: Form, inputs: usize, bytes: &[u8]) {
    let what = format!("vectors of {provider:?} for {client:?}");
    let body = Bytes::copy_from_slice(bytes);
    for encoding in [Encoding::Float, Encoding::Base64] {
        let exchange = Exchange { client, provider, model: "m".into(), encoding, inputs };
        let Judged::Answer { body: out, usage, losses } = exchange.judge(vec![body.clone()]) else {
            continue;
        };
        assert!(!exchange.is_relay() || out == body, "{what} are not relayed as they are");
        sound::object(&what, std::str::from_utf8(&out).unwrap_or_default().trim_ascii_start());
        let lost: usize = losses.all().iter().map(|loss| loss.field.len()).sum();
        sound::message_size(&what, out.len() + lost, bytes);
        if !exchange.is_relay() {
            let text = std::str::from_utf8(&out).unwrap_or_default();
            let read = decode_answer(client, text).is_some_and(|again| again.vectors.len() == inputs);
            assert!(read || client == Form::GeminiOne, "{what}: some are lost: {text}");
            if usage.is_none() {
                let told = tell_usage(client, out.clone(), 7);
                sound::object(&what, std::str::from_utf8(&told).unwrap_or_default());
            }
        }
    }
}
