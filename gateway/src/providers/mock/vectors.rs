//! Vectors made in the process: small, of length 1, and the same for the same input, so that a search over them can
//! be tried. They know nothing of meaning.

use bytes::Bytes;
use protocol::embeddings::{self, Answer, Content, Form, Input, Vector};
use protocol::fault::FaultClass;
use protocol::usage::Usage;

use crate::pipeline::{ReplyBody, UpstreamFault};

/// How many numbers a vector has where the client does not say.
const USUAL: u64 = 8;

/// More are not made.
const MOST: u64 = 4096;

/// Made up, but the same every time, so that counting can be tested.
const TOKENS_PER_INPUT: u64 = 4;

/// The answer to `body`, a request in `form`.
///
/// # Errors
/// [`FaultClass::InvalidRequest`], as a provider would say.
pub(super) fn answer(form: Form, model: &str, body: &Bytes) -> Result<ReplyBody, UpstreamFault> {
    let invalid = |reason: String| UpstreamFault::new(FaultClass::InvalidRequest, reason);
    let text = std::str::from_utf8(body).unwrap_or_default();
    let request = embeddings::decode_request(form, text).map_err(|error| invalid(error.to_string()))?;
    if request.inputs.iter().any(|input| !(1..=MOST).contains(&input.dimensions.unwrap_or(USUAL))) {
        return Err(invalid(format!("the mock provider makes vectors of 1 to {MOST} dimensions")));
    }
    let lists: Vec<String> = request.inputs.iter().map(list).collect();
    let fresh_input = TOKENS_PER_INPUT.saturating_mul(lists.len() as u64);
    let usage = Some(Usage { fresh_input, ..Usage::default() });
    let vectors = lists.iter().map(|list| Vector::Floats(list)).collect();
    let answer = Answer { vectors, usage, ..Answer::default() };
    let encoding = request.encoding.unwrap_or_default();
    let body = embeddings::encode_answer(form, &answer, model, encoding);
    let body =
        body.ok_or_else(|| UpstreamFault::new(FaultClass::Failed, "the mock provider made no vector"))?;
    Ok(ReplyBody::Whole { body: body.into(), usage })
}

/// A JSON list. Of length 1, as OpenAI's vectors are.
fn list(input: &Input) -> String {
    let seed = match &input.content {
        Content::Texts(texts) => texts.iter().fold(0, |seed, text| mixed(seed, text.get())),
        Content::Tokens(raw) | Content::Foreign(raw) => mixed(1, raw.get()),
    };
    let numbers: Vec<f32> = (0..input.dimensions.unwrap_or(USUAL)).map(|at| number(seed, at)).collect();
    let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
    let numbers: Vec<String> = numbers.iter().map(|number| (number / length).to_string()).collect();
    format!("[{}]", numbers.join(","))
}

/// FNV-1a, so that two pods make the same vectors.
///
/// Source: datatracker.ietf.org/doc/html/draft-eastlake-fnv, read 2026-11-25.
fn mixed(seed: u64, text: &str) -> u64 {
    let start = seed ^ 0xcbf2_9ce4_8422_2325;
    text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Between -1 and 1, and never 0. The steps and the mixing are splitmix64's.
///
/// Source: prng.di.unimi.it/splitmix64.c, read 2026-11-25.
fn number(seed: u64, at: u64) -> f32 {
    let state = seed.wrapping_add(at.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let once = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let twice = (once ^ once >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    let bits = u16::try_from(twice >> 48).unwrap_or_default();
    (f32::from(bits) - 32_767.5) / 32_767.5
}
