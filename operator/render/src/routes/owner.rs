//! What a ModelGateway says of fallbacks: those of its models, and those of every model and route.

use config::{Fallbacks, Model, ObjectName};
use crds::ConditionType;

use super::loops::Ways;
use super::names::Names;
use super::{Complaint, looped, resolve, resolve_list, tell};
use crate::gateways::Gateway;
use crate::upstream::{Fault, invalid};
use crate::{Effect, Finding, Kind, ObjectRef};

/// The fallbacks of one model, as written.
#[derive(Clone, Debug)]
pub(crate) struct ModelEntry {
    /// Its name or an alias.
    pub model: String,
    pub fallbacks: Fallbacks,
}

/// What is left of it.
pub(super) struct Owner<'a> {
    name: &'a ObjectName,
    entries: Vec<ModelEntry>,
    defaults: Vec<String>,
    complaints: Vec<Complaint>,
    /// Of an older version people need not be told what it names.
    is_last_good: bool,
}

impl<'a> Owner<'a> {
    pub(super) fn new(gateway: &'a Gateway, names: &Names) -> Self {
        let mut owner = Self {
            name: &gateway.name,
            entries: Vec::new(),
            defaults: gateway.settings.default_fallbacks.clone(),
            complaints: Vec::new(),
            is_last_good: gateway.is_last_good,
        };
        for entry in &gateway.model_fallbacks {
            let field = format!("routing.models[{}]", entry.model);
            match names.only_model(&format!("{field}.model"), &entry.model, None) {
                Ok(model) if owner.entries.iter().any(|other| other.model == model) => {
                    let message = format!("{field}: model {model} has another entry: keep one of the two");
                    owner.complain(ConditionType::Accepted, [invalid(message)]);
                }
                Ok(model) => {
                    let entry = ModelEntry { model: model.to_owned(), fallbacks: entry.fallbacks.clone() };
                    owner.entries.push(entry);
                }
                Err(fault) => owner.complain(ConditionType::ResolvedRefs, [fault]),
            }
        }
        owner.look_again(names);
        owner
    }

    /// Gives each fallback the name of its model or route, and drops those that have none.
    pub(super) fn look_again(&mut self, names: &Names) {
        let mut missing = Vec::new();
        for entry in &mut self.entries {
            let each = resolve(&mut entry.fallbacks, names, None);
            let located = |(reason, why): Fault| (reason, format!("routing.models[{}].{why}", entry.model));
            missing.extend(each.into_iter().map(located));
        }
        missing.extend(resolve_list("routing.fallbacks", &mut self.defaults, names, None));
        self.complain(ConditionType::ResolvedRefs, missing);
    }

    /// Adds each model's fallbacks to those before, unless that closes a loop: then the model has none.
    pub(super) fn part(&mut self, ways: &mut Ways) {
        let mut loops = Vec::new();
        self.entries.retain(|entry| match ways.add(&entry.model, entry.fallbacks.all()) {
            Ok(()) => true,
            Err(way) => {
                let (reason, why) = looped(&way);
                loops.push((reason, format!("routing.models[{}]: {why}", entry.model)));
                false
            }
        });
        self.complain(ConditionType::Accepted, loops);
    }

    fn complain(&mut self, condition: ConditionType, faults: impl IntoIterator<Item = Fault>) {
        if !self.is_last_good {
            self.complaints.extend(faults.into_iter().map(|fault| Complaint { condition, fault }));
        }
    }

    /// Gives models their fallbacks, and returns those of every model and route.
    pub(super) fn finish(self, models: &mut [Model], findings: &mut Vec<Finding>) -> Vec<String> {
        for entry in self.entries {
            if let Some(model) = models.iter_mut().find(|model| model.name == entry.model) {
                model.fallbacks = entry.fallbacks;
            }
        }
        let own = ObjectRef { kind: Kind::ModelGateway, name: self.name.clone() };
        self.complaints.into_iter().for_each(|complaint| tell(findings, &own, complaint, Effect::Partly));
        self.defaults
    }
}
