//! Writes JSON text in order, raw values as they are. No tree is made.

use super::RawJson;

/// An object or list that is being written. Close it by [`Writer::end`].
///
/// Keys and values are the caller's; commas and quotes are not.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut String,
    close: char,
    is_first: bool,
}

impl<'a> Writer<'a> {
    /// Begins an object.
    pub fn object(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, close: '}', is_first: true }
    }

    /// Begins a list.
    pub fn list(out: &'a mut String) -> Self {
        out.push('[');
        Self { out, close: ']', is_first: true }
    }

    /// A field with a value that is JSON already.
    pub fn raw(&mut self, key: &str, json: &str) -> &mut Self {
        self.key(key);
        self.out.push_str(json);
        self
    }

    /// A field with a text.
    pub fn string(&mut self, key: &str, text: &str) -> &mut Self {
        self.key(key);
        push_string(self.out, text);
        self
    }

    /// A field with a whole number.
    pub fn number(&mut self, key: &str, number: u64) -> &mut Self {
        self.raw(key, &number.to_string())
    }

    /// A field with a truth value.
    pub fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// The field if there is a value.
    pub fn raw_if(&mut self, key: &str, json: Option<&RawJson>) -> &mut Self {
        if let Some(json) = json {
            self.raw(key, json.get());
        }
        self
    }

    /// The field if there is a value.
    pub fn string_if(&mut self, key: &str, text: Option<&str>) -> &mut Self {
        if let Some(text) = text {
            self.string(key, text);
        }
        self
    }

    /// A field whose value is written by `value` to the text it is given.
    pub fn field(&mut self, key: &str, value: impl FnOnce(&mut String)) -> &mut Self {
        self.key(key);
        value(self.out);
        self
    }

    /// A field with an object.
    pub fn nested(&mut self, key: &str, fill: impl FnOnce(&mut Writer<'_>)) -> &mut Self {
        self.field(key, |out| {
            let mut object = Writer::object(out);
            fill(&mut object);
            object.end();
        })
    }

    /// A field with a list, an element for each of `items`.
    pub fn list_of<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut String, T),
    ) -> &mut Self {
        self.field(key, |out| {
            let mut list = Writer::list(out);
            for item in items {
                list.element(|out| write(out, item));
            }
            list.end();
        })
    }

    /// An element of a list.
    pub fn element(&mut self, value: impl FnOnce(&mut String)) -> &mut Self {
        self.comma();
        value(self.out);
        self
    }

    /// Fields as they came.
    pub fn all<'f>(&mut self, fields: impl IntoIterator<Item = &'f (String, RawJson)>) -> &mut Self {
        for (name, raw) in fields {
            self.raw(name, raw.get());
        }
        self
    }

    /// Closes the object or list.
    pub fn end(self) {
        self.out.push(self.close);
    }

    fn key(&mut self, key: &str) {
        self.comma();
        push_string(self.out, key);
        self.out.push(':');
    }

    fn comma(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(',');
        }
    }
}

/// `text` as a JSON string, quotes included.
#[must_use]
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x00..=0x1f => "",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let mut out = String::new();
        let mut object = Writer::object(&mut out);
        object.string("a", "x\"\\\n\u{1}é").number("n", 7).flag("f", true).raw("r", "1.0");
        object.nested("o", |o| {
            o.string_if("s", Some("t")).string_if("none", None);
        });
        object.list_of("l", [1, 2], |out, n: u8| out.push_str(&n.to_string()));
        object.end();
        assert_eq!(out, r#"{"a":"x\"\\\n\u0001é","n":7,"f":true,"r":1.0,"o":{"s":"t"},"l":[1,2]}"#);
        assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
    }
}
