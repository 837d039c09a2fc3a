//! Consent by namespace: whether an owner lets another namespace use what is theirs.

use std::collections::BTreeMap;

use crds::{NamespaceSelection, NamespacesFrom};

use crate::Namespace;

/// Whether the selection can be judged at all: labels need a view of namespaces.
pub(crate) fn can_judge(selection: &NamespaceSelection, known: Option<&BTreeMap<String, Namespace>>) -> bool {
    selection.from != NamespacesFrom::Selector || known.is_some()
}

/// Whether objects in namespace `guest` may attach to one in `owner`. An own namespace always may.
pub(crate) fn allows(
    selection: &NamespaceSelection,
    owner: &str,
    guest: &str,
    known: Option<&BTreeMap<String, Namespace>>,
) -> bool {
    if owner == guest {
        return true;
    }
    match selection.from {
        NamespacesFrom::Same => false,
        NamespacesFrom::All => true,
        NamespacesFrom::Selector => {
            let labels = known.and_then(|known| known.get(guest)).map(|namespace| &namespace.labels);
            let wanted = selection.selector.as_ref().map(|selector| &selector.match_labels);
            // An empty selector would mean everybody; nobody writes that and means it.
            let (Some(labels), Some(wanted)) = (labels, wanted.filter(|wanted| !wanted.is_empty())) else {
                return false;
            };
            wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use crds::NamespaceSelector;

    use super::*;

    #[test]
    fn consent_is_own_all_or_by_label() {
        let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let known = BTreeMap::from([("team-a".to_owned(), Namespace { labels: labels(&[("llm", "yes")]) })]);
        let select = |from, wanted: &[(&str, &str)]| NamespaceSelection {
            from,
            selector: Some(NamespaceSelector { match_labels: labels(wanted) }),
        };
        let cases = [
            (select(NamespacesFrom::Same, &[]), "ai", true),
            (select(NamespacesFrom::Same, &[]), "team-a", false),
            (select(NamespacesFrom::All, &[]), "team-a", true),
            (select(NamespacesFrom::Selector, &[("llm", "yes")]), "team-a", true),
            (select(NamespacesFrom::Selector, &[("llm", "no")]), "team-a", false),
            (select(NamespacesFrom::Selector, &[("llm", "yes")]), "team-b", false),
            (select(NamespacesFrom::Selector, &[]), "team-a", false),
        ];
        for (selection, guest, expected) in cases {
            assert_eq!(allows(&selection, "ai", guest, Some(&known)), expected, "{selection:?} {guest}");
        }
    }
}
