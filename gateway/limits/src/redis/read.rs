//! What the scripts answer. `None` is an answer that they do not give.

use redis::Value;

use crate::ask::Ask;
use crate::backend::Verdict;
use crate::book::{Book, Entry, Line};
use crate::counter::Level;

/// Whether a script has found that Redis has lost its data.
pub(super) fn is_lost(answer: &Value) -> bool {
    match answer {
        Value::Array(values) => values.as_slice() == [Value::Int(2)],
        other => *other == Value::Int(2),
    }
}

pub(super) fn verdict(ask: &Ask, answer: Value) -> Option<Verdict> {
    let Value::Array(values) = answer else { return None };
    let mut values = values.into_iter();
    match values.next()? {
        Value::Int(1) => granted(ask, values),
        Value::Int(0) => refused(ask, values),
        _ => None,
    }
}

fn granted(ask: &Ask, mut values: impl Iterator<Item = Value>) -> Option<Verdict> {
    let levels = ask.parts().iter().map(|part| {
        let (spent, reserved) = (amount(values.next()?)?, amount(values.next()?)?);
        Some(Level { spent, reserved, amount: part.counter.amount() })
    });
    levels.collect::<Option<_>>().map(Verdict::Granted)
}

fn refused(ask: &Ask, mut values: impl Iterator<Item = Value>) -> Option<Verdict> {
    let which = usize::try_from(amount(values.next()?)?).ok()?;
    let part = ask.parts().get(which)?;
    let book = entries(values)?;
    let now = ask.id().made();
    let level = book.level(&part.counter, &part.placement, now);
    Some(Verdict::Refused { which, level, resets_at: book.reopens(part, now) })
}

/// A hash, with all of its fields.
pub(super) fn book(hash: Value) -> Option<Book> {
    match hash {
        Value::Array(values) => entries(values.into_iter()),
        Value::Map(pairs) => entries(pairs.into_iter().flat_map(|(field, value)| [field, value])),
        _ => None,
    }
}

fn entries(mut values: impl Iterator<Item = Value>) -> Option<Book> {
    let mut entries = Vec::new();
    while let Some(field) = values.next() {
        let line = line(&text(field)?)?;
        entries.push(Entry { line, amount: text(values.next()?)?.parse().ok()? });
    }
    Some(Book::new(entries))
}

fn line(field: &str) -> Option<Line> {
    if let Some(slot) = field.strip_prefix('s') {
        return Some(Line::Spent(slot.parse().ok()?));
    }
    let (slot, expires) = field.strip_prefix('r')?.split_once(':')?;
    Some(Line::Reserved(slot.parse().ok()?, expires.parse().ok()?))
}

pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

pub(super) fn amount(value: Value) -> Option<u64> {
    match value {
        Value::Int(whole) => u64::try_from(whole).ok(),
        _ => None,
    }
}
