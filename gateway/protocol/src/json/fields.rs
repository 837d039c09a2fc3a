//! An object's fields in order, each as a slice of the input. A decoder takes what it knows; the rest are
//! extras. (`serde(flatten)` and untagged enums cannot do this: they do not work with raw values.)

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::RawJson;

/// The fields of one object. Of a key that is there twice, the last value counts, as in most readers.
#[derive(Debug, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Takes an object apart, one level deep. `None` if `raw` is no object.
    #[must_use]
    pub fn read(raw: &'a RawValue) -> Option<Self> {
        Self::parse(raw.get())
    }

    /// The same from text.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if !text.trim_ascii_start().starts_with('{') {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// Removes and returns the value of `key`; JSON `null` counts as absent.
    pub fn take(&mut self, key: &str) -> Option<&'a RawValue> {
        self.take_any(key).filter(|raw| raw.get() != "null")
    }

    /// Removes and returns the value of `key`, `null` included.
    pub fn take_any(&mut self, key: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(at).1)
    }

    /// Looks at the value of `key` and leaves it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, raw)| *raw)
    }

    /// Removes and reads a string. One of another type stays, and so becomes an extra.
    pub fn take_string(&mut self, key: &str) -> Option<String> {
        self.take_as::<Cow<'a, str>>(key).map(Cow::into_owned)
    }

    /// Removes and reads a whole number. One of another type stays.
    pub fn take_u64(&mut self, key: &str) -> Option<u64> {
        self.take_as(key)
    }

    /// Removes and reads a truth value. One of another type stays.
    pub fn take_bool(&mut self, key: &str) -> Option<bool> {
        self.take_as(key)
    }

    /// Removes and keeps a value as it is written; `null` stays.
    pub fn take_raw(&mut self, key: &str) -> Option<RawJson> {
        self.take_if(key, |raw| (raw.get() != "null").then(|| RawJson::from(raw)))
    }

    /// Removes a list and gives its elements. One of another type stays.
    pub fn take_list(&mut self, key: &str) -> Option<Vec<&'a RawValue>> {
        self.take_if(key, |raw| {
            raw.get().starts_with('[').then(|| serde_json::from_str::<Vec<&'a RawValue>>(raw.get()).ok())?
        })
    }

    /// Removes an object and takes it apart. One of another type stays.
    pub fn take_object(&mut self, key: &str) -> Option<Fields<'a>> {
        self.take_if(key, Fields::read)
    }

    /// Puts back what was taken but not understood.
    pub fn put_back(&mut self, key: &'a str, raw: &'a RawValue) {
        self.0.push((Cow::Borrowed(key), raw));
    }

    /// What is left, in order.
    #[must_use]
    pub fn rest(self) -> Vec<(String, RawJson)> {
        self.0.into_iter().map(|(name, raw)| (name.into_owned(), RawJson::from(raw))).collect()
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take_as<T: Deserialize<'a>>(&mut self, key: &str) -> Option<T> {
        self.take_if(key, |raw| serde_json::from_str(raw.get()).ok())
    }

    fn take_if<T>(&mut self, key: &str, read: impl FnOnce(&'a RawValue) -> Option<T>) -> Option<T> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        let value = read(self.0.get(at)?.1)?;
        self.0.remove(at);
        Some(value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor).map(Self)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields: Self::Value = Vec::new();
        let mut index = HashMap::new();
        while let Some((Key(name), raw)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            if fields.len() == FEW && index.is_empty() {
                index.extend(fields.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)));
            }
            let at = match fields.len() {
                0..FEW => fields.iter().position(|(known, _)| *known == name),
                _ => index.get(&name).copied(),
            };
            match at.and_then(|at| fields.get_mut(at)) {
                Some(known) => known.1 = raw,
                None => {
                    if fields.len() >= FEW {
                        index.insert(name.clone(), fields.len());
                    }
                    fields.push((name, raw));
                }
            }
        }
        Ok(fields)
    }
}

/// So many names are compared in turn. Beyond that they are hashed: a body may have a million, each another.
const FEW: usize = 32;

/// Borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_taken_and_the_rest_stays_in_order() {
        let mut fields =
            Fields::parse(r#" {"b": 1.0, "a": "x", "n": null, "odd": [1], "z": {"k": 2}}"#).unwrap();
        assert_eq!(fields.take_string("a").as_deref(), Some("x"));
        assert_eq!(fields.take("n").map(RawValue::get), None);
        assert_eq!(fields.take_bool("odd"), None, "of another type: it stays");
        assert_eq!(fields.take_object("z").unwrap().take_u64("k"), Some(2));
        let rest = fields.rest();
        let names: Vec<_> = rest.iter().map(|(name, raw)| (name.as_str(), raw.get())).collect();
        assert_eq!(names, [("b", "1.0"), ("odd", "[1]")], "as spelt");
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        for text in ["", "[]", "1", "{", "{\"a\":}"] {
            assert!(Fields::parse(text).is_none(), "{text}");
        }
        assert_eq!(Fields::parse(r#"{"a":1,"a":2}"#).unwrap().take_u64("a"), Some(2));
    }

    #[test]
    fn of_many_fields_too_the_last_of_a_name_counts() {
        let many: Vec<_> = (0..100).chain(0..100).map(|at| format!("\"k{}\":{at}", at % 90)).collect();
        let object = format!("{{{}}}", many.join(","));
        let fields = Fields::parse(&object).unwrap();
        let read: Vec<_> =
            fields.rest().into_iter().map(|(name, raw)| (name, raw.get().to_owned())).collect();
        assert_eq!(read.len(), 90);
        for (at, (name, value)) in read.into_iter().enumerate() {
            let last = if at < 10 { at + 90 } else { at };
            assert_eq!((name, value), (format!("k{at}"), last.to_string()));
        }
    }
}
