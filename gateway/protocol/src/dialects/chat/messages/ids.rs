//! Ids of tool calls: each result of a tool names its call. Some dialects have no ids, and Google's SDK leaves those of
//! its results out where the calls have some.

use std::collections::BTreeMap;

/// Makes ids where there are none, and remembers which tool each call was for.
#[derive(Debug, Default)]
pub(super) struct Ids {
    made: usize,
    /// Name and id of the calls that no result has answered yet.
    open: Vec<(String, String)>,
    names: BTreeMap<String, String>,
}

impl Ids {
    /// The id of a call of `name`.
    pub(super) fn of_call(&mut self, id: &str, name: &str) -> String {
        let id = if id.is_empty() { self.make() } else { id.to_owned() };
        self.open.push((name.to_owned(), id.clone()));
        self.names.insert(id.clone(), name.to_owned());
        id
    }

    /// The id of the call that a result answers: its own, or that of the first open call of the same tool.
    pub(super) fn of_result(&mut self, id: &str, name: Option<&str>) -> String {
        if !id.is_empty() {
            self.open.retain(|(_, open)| open != id);
            return id.to_owned();
        }
        let same = self.open.iter().position(|(open, _)| Some(open.as_str()) == name);
        let at = same.or((name.is_none() && !self.open.is_empty()).then_some(0));
        match at {
            Some(at) => self.open.remove(at).1,
            None => self.make(),
        }
    }

    /// The tool that the call `id` was for.
    pub(super) fn name(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// The same in every request, since prompt caches match by bytes.
    fn make(&mut self) -> String {
        self.made += 1;
        format!("call_{}", self.made)
    }
}
