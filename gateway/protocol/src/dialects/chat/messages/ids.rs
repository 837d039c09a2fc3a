//! Ids of tool calls: each result of a tool names its call. Some dialects have no ids, and Google's SDK leaves those of
//! its results out where the calls have some.

use std::collections::BTreeMap;

use crate::dialects::waiting::Waiting;

/// Makes ids where there are none, and remembers which tool each call was for.
#[derive(Debug, Default)]
pub(super) struct Ids {
    made: usize,
    calls: Waiting,
    names: BTreeMap<String, String>,
}

impl Ids {
    /// The id of a call of `name`.
    pub(super) fn of_call(&mut self, id: &str, name: &str) -> String {
        let id = if id.is_empty() { self.make() } else { id.to_owned() };
        self.calls.push(id.clone(), name.to_owned());
        self.names.insert(id.clone(), name.to_owned());
        id
    }

    /// The id of the call that a result answers: its own, or that of the first open call of the same tool.
    pub(super) fn of_result(&mut self, id: &str, name: Option<&str>) -> String {
        if !id.is_empty() {
            while let Some(at) = self.calls.with_id(id) {
                self.calls.close(at);
            }
            return id.to_owned();
        }
        let at = match name {
            Some(name) => self.calls.with_name(name),
            None => self.calls.any(),
        };
        let call = at.and_then(|at| self.calls.close(at)).map(|call| call.id.clone());
        call.unwrap_or_else(|| self.make())
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
