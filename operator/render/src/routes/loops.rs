//! Fallbacks as ways from name to name. A way is added only if nobody who follows it comes back.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// Ways without a loop.
#[derive(Debug, Default)]
pub(super) struct Ways(BTreeMap<String, Vec<String>>);

impl Ways {
    /// Adds the fallbacks of `name`.
    ///
    /// # Errors
    /// They lead back to `name`: the shortest way on which they do, from it to itself. Nothing is added.
    pub(super) fn add<'n>(
        &mut self,
        name: &str,
        fallbacks: impl Iterator<Item = &'n String>,
    ) -> Result<(), Vec<String>> {
        let next: Vec<String> = fallbacks.cloned().collect();
        if let Some(way) = self.back(name, &next) {
            return Err(way);
        }
        self.0.insert(name.to_owned(), next);
        Ok(())
    }

    fn back(&self, name: &str, next: &[String]) -> Option<Vec<String>> {
        let mut came_from: HashMap<&str, &str> = HashMap::new();
        let mut open: VecDeque<(&str, &str)> = next.iter().map(|to| (name, to.as_str())).collect();
        while let Some((from, at)) = open.pop_front() {
            if at == name {
                return Some(way(name, from, &came_from));
            }
            if came_from.contains_key(at) {
                continue;
            }
            came_from.insert(at, from);
            open.extend(self.0.get(at).into_iter().flatten().map(|to| (at, to.as_str())));
        }
        None
    }
}

/// From `name` by `last` to `name`.
fn way(name: &str, last: &str, came_from: &HashMap<&str, &str>) -> Vec<String> {
    let back = std::iter::successors(Some(last), |at| came_from.get(at).copied().filter(|_| *at != name));
    let mut way: Vec<String> = back.map(str::to_owned).collect();
    way.reverse();
    way.push(name.to_owned());
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(ways: &mut Ways, name: &str, next: &[&str]) -> Result<(), String> {
        let next: Vec<String> = next.iter().map(|to| (*to).to_owned()).collect();
        ways.add(name, next.iter()).map_err(|way| way.join(" "))
    }

    #[test]
    fn a_way_that_leads_back_is_told_whole_and_not_added() {
        let mut ways = Ways::default();
        assert_eq!(add(&mut ways, "a", &["x", "b"]), Ok(()));
        assert_eq!(add(&mut ways, "b", &["c", "y"]), Ok(()));
        assert_eq!(add(&mut ways, "c", &["y", "a"]), Err("c a b c".into()));
        assert_eq!(add(&mut ways, "c", &["y"]), Ok(()), "what was refused is forgotten");
        assert_eq!(add(&mut ways, "y", &["z", "y"]), Err("y y".into()));
        assert_eq!(add(&mut ways, "d", &["a", "b", "c"]), Ok(()), "two ways to one place are no loop");
    }
}
