//! What clients make up (customers, tags) goes into indexes, so it must fit: PostgreSQL's text holds no NUL, and its
//! indexes no more than 2,704 bytes a row. What providers tell goes into sums, which must not overflow.

use std::borrow::Cow;

use super::SpendRecord;

/// Four of them, in the longest index, stay below the bound.
const LONGEST_BYTES: usize = 512;

/// A counter is named by its budget, its limit and whom it counts.
const LONGEST_COUNTER: usize = 1536;

/// More tokens, or nano-dollars (a million dollars), than any one request has: sums of 9,000 such still fit.
const MOST: i64 = 1_000_000_000_000_000;

/// `record`, cut and cleaned where it must be.
pub(super) fn tidied(record: &SpendRecord) -> Cow<'_, SpendRecord> {
    let mut copy = Cow::Borrowed(record);
    let is_sound = texts(record).all(|text| is_tidy(text, LONGEST_BYTES)) && counters(record).all(is_counter);
    if is_sound && numbers(record).all(|number| (0..=MOST).contains(&number)) {
        return copy;
    }
    let owned = copy.to_mut();
    for number in numbers_mut(owned) {
        *number = (*number).clamp(0, MOST);
    }
    for text in texts_mut(owned).filter(|text| !is_tidy(text, LONGEST_BYTES)) {
        *text = tidy(text, LONGEST_BYTES);
    }
    let counts = owned.counted.iter_mut().flat_map(|counted| &mut counted.counts);
    for counter in counts.map(|count| &mut count.counter).filter(|counter| !is_counter(counter)) {
        *counter = tidy(counter, LONGEST_COUNTER);
    }
    copy
}

fn is_counter(counter: &str) -> bool {
    is_tidy(counter, LONGEST_COUNTER)
}

fn is_tidy(text: &str, longest: usize) -> bool {
    text.len() <= longest && !text.contains('\0')
}

fn tidy(text: &str, longest: usize) -> String {
    let end = (0..=longest.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default().replace('\0', "\u{fffd}")
}

fn texts(record: &SpendRecord) -> impl Iterator<Item = &str> {
    let SpendRecord { request_id, task, dialect, outcome, tags, .. } = record;
    let some = [
        &record.gateway,
        &record.key_id,
        &record.key_hash,
        &record.team_id,
        &record.user_id,
        &record.customer_id,
        &record.model,
        &record.deployment,
        &record.provider,
        &record.upstream_model,
        &record.fault,
        &record.tier,
    ];
    let always = [request_id, task, dialect, outcome].into_iter().chain(&tags.0);
    some.into_iter().flatten().chain(always).map(String::as_str)
}

fn counters(record: &SpendRecord) -> impl Iterator<Item = &str> {
    let counts = record.counted.iter().flat_map(|counted| &counted.counts);
    counts.map(|count| count.counter.as_str())
}

fn texts_mut(record: &mut SpendRecord) -> impl Iterator<Item = &mut String> {
    let some = [
        &mut record.gateway,
        &mut record.key_id,
        &mut record.key_hash,
        &mut record.team_id,
        &mut record.user_id,
        &mut record.customer_id,
        &mut record.model,
        &mut record.deployment,
        &mut record.provider,
        &mut record.upstream_model,
        &mut record.fault,
        &mut record.tier,
    ];
    let always = [&mut record.request_id, &mut record.task, &mut record.dialect, &mut record.outcome];
    some.into_iter().flatten().chain(always).chain(&mut record.tags.0)
}

fn numbers(record: &SpendRecord) -> impl Iterator<Item = i64> {
    let all = [
        record.duration_us,
        record.fresh_input,
        record.cached_input,
        record.cache_write,
        record.cache_write_hour,
        record.audio_input,
        record.cached_audio,
        record.image_input,
        record.output,
        record.reasoning,
        record.audio_output,
        record.image_output,
        record.searches,
    ];
    all.into_iter().chain(record.cost_nano)
}

fn numbers_mut(record: &mut SpendRecord) -> impl Iterator<Item = &mut i64> {
    let all = [
        &mut record.duration_us,
        &mut record.fresh_input,
        &mut record.cached_input,
        &mut record.cache_write,
        &mut record.cache_write_hour,
        &mut record.audio_input,
        &mut record.cached_audio,
        &mut record.image_input,
        &mut record.output,
        &mut record.reasoning,
        &mut record.audio_output,
        &mut record.image_output,
        &mut record.searches,
    ];
    all.into_iter().chain(&mut record.cost_nano)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_database_takes_is_changed() {
        let sound = SpendRecord { customer_id: Some("ann".into()), ..SpendRecord::default() };
        assert!(matches!(tidied(&sound), Cow::Borrowed(_)));
        let odd = SpendRecord {
            customer_id: Some("a\0b".into()),
            tags: super::super::Tags(vec!["é".repeat(300), "fine".into()]),
            ..SpendRecord::default()
        };
        let tidy = tidied(&odd);
        assert_eq!(tidy.customer_id.as_deref(), Some("a\u{fffd}b"));
        assert_eq!(tidy.tags.0, ["é".repeat(256), "fine".into()]);
    }
}
