//! How far a gateway's pods have come, in plain numbers: each publish has a number, each part of the config
//! the number of the publish since which it is as it is, each pod the number it serves. So an edit of one
//! model says nothing about the others, and edits in a row do not undo each other's success.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use config::{Budget, Config, Deployment, Fallbacks, Key, ObjectName, Route};
use render::{Kind, ObjectRef};
use tokio::time::Instant;

/// Publishes that pods may still be serving; older ones count as none at all.
const HISTORY: usize = 64;

/// What was published for one gateway, and since when.
#[derive(Debug)]
pub(crate) struct Progress {
    history: VecDeque<Publish>,
    /// As published last.
    pub config: Arc<Config>,
    since: HashMap<ObjectRef, u64>,
    /// Publishes that not all pods serve yet, with the time that their oldest change was seen.
    awaited: VecDeque<(u64, Instant)>,
}

#[derive(Debug)]
struct Publish {
    number: u64,
    revision: String,
}

impl Progress {
    /// Begins with what is published already.
    pub(crate) fn new(revision: String, config: Arc<Config>) -> Self {
        Self {
            since: parts(&config).into_keys().map(|place| (reference(place), 1)).collect(),
            history: VecDeque::from([Publish { number: 1, revision }]),
            config,
            awaited: VecDeque::new(),
        }
    }

    /// Measures how long the last publish takes, if it answers a change seen at `seen`.
    pub(crate) fn await_current(&mut self, seen: Option<Instant>) {
        if let Some(seen) = seen {
            self.awaited.push_back((self.current(), seen));
            self.awaited.truncate(HISTORY);
        }
    }

    /// Takes note of a publish that answers a change seen at `seen`.
    pub(crate) fn publish(&mut self, revision: String, config: Arc<Config>, seen: Option<Instant>) {
        let number = self.current() + 1;
        let before = parts(&self.config);
        let mut since = HashMap::new();
        for (place, part) in parts(&config) {
            let same = before.get(&place) == Some(&part);
            let object = reference(place);
            let unchanged = self.since.get(&object).copied().filter(|_| same);
            since.insert(object, unchanged.unwrap_or(number));
        }
        self.since = since;
        self.config = config;
        self.history.push_back(Publish { number, revision });
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        self.await_current(seen);
    }

    /// The number of the last publish.
    pub(crate) fn current(&self) -> u64 {
        self.history.back().map_or(0, |publish| publish.number)
    }

    /// The revision of the last publish.
    pub(crate) fn revision(&self) -> &str {
        self.history.back().map_or("", |publish| publish.revision.as_str())
    }

    /// The latest publish of this content; 0 if it is too old to be known, or none.
    pub(crate) fn number_of(&self, revision: Option<&str>) -> u64 {
        let known = self.history.iter().rev().find(|publish| Some(publish.revision.as_str()) == revision);
        known.map_or(0, |publish| publish.number)
    }

    /// The publish since which something is as it is; `None` if it is not served.
    pub(crate) fn since(&self, object: &ObjectRef) -> Option<u64> {
        self.since.get(object).copied()
    }

    /// What `rendered` has otherwise than what is published.
    pub(crate) fn unpublished(&self, rendered: &Config) -> BTreeSet<ObjectRef> {
        if *rendered == *self.config {
            return BTreeSet::new();
        }
        let published = parts(&self.config);
        let differs = |(place, part): &(Place<'_>, Part<'_>)| published.get(place) != Some(part);
        parts(rendered).into_iter().filter(differs).map(|(place, _)| reference(place)).collect()
    }

    /// Whether `rendered` has another gateway than what is published: its settings, or what it says of models' fallbacks.
    pub(crate) fn differs_in_settings(&self, rendered: &Config) -> bool {
        self.config.settings != rendered.settings
            || model_fallbacks(&self.config) != model_fallbacks(rendered)
    }

    /// All pods serve `number`: how long the changes took that were still awaited.
    pub(crate) fn reached(&mut self, number: u64, now: Instant) -> Vec<Duration> {
        let mut took = Vec::new();
        while let Some((awaited, seen)) = self.awaited.front() {
            if *awaited > number {
                break;
            }
            took.push(now.saturating_duration_since(*seen));
            self.awaited.pop_front();
        }
        took
    }
}

/// Where the part of the config stands that one object makes.
type Place<'a> = (Kind, &'a ObjectName);

#[derive(Debug, PartialEq)]
enum Part<'a> {
    /// With the public names of its model; its other deployments are parts of their own.
    Deployment(&'a str, &'a [String], &'a Deployment),
    /// The models that it names are parts of their own.
    Route(&'a Route),
    Budget(&'a Budget),
    Key(&'a Key),
}

fn parts(config: &Config) -> HashMap<Place<'_>, Part<'_>> {
    let deployments = config.models.iter().flat_map(|model| {
        let part = |one| Part::Deployment(&model.name, &model.aliases, one);
        model.deployments.iter().map(move |one| ((Kind::ModelDeployment, &one.id), part(one)))
    });
    let routes = config.routes.iter().map(|route| ((Kind::ModelRoute, &route.id), Part::Route(route)));
    let budgets = config.budgets.iter();
    let budgets = budgets.map(|budget| ((Kind::BudgetPolicy, &budget.id), Part::Budget(budget)));
    let keys = config.keys.iter().map(|key| ((Kind::VirtualKey, &key.id), Part::Key(key)));
    deployments.chain(routes).chain(budgets).chain(keys).collect()
}

/// What a gateway says of fallbacks stands at its models.
fn model_fallbacks(config: &Config) -> HashMap<&str, &Fallbacks> {
    let with = config.models.iter().filter(|model| !model.fallbacks.is_empty());
    with.map(|model| (model.name.as_str(), &model.fallbacks)).collect()
}

fn reference((kind, name): Place<'_>) -> ObjectRef {
    ObjectRef { kind, name: name.clone() }
}

#[cfg(test)]
mod tests {
    use config::{Model, Settings, Timeouts, Upstream};

    use super::*;

    fn config(models: &[(&str, u32)]) -> Arc<Config> {
        let timeouts = Timeouts { connect_ms: 1, first_byte_ms: 1, stream_idle_ms: 1, request_ms: 1 };
        let model = |(name, weight): &(&str, u32)| Model {
            name: (*name).into(),
            aliases: Vec::new(),
            deployments: vec![Deployment {
                id: id(name),
                uid: String::new(),
                provider: "mock".into(),
                upstream_model: (*name).into(),
                upstream: Upstream::Mock,
                weight: *weight,
                priority: 0,
                timeouts,
                on_loss: config::OnLoss::Report,
                pricing: config::Pricing::default(),
                quirks: catalogue::Quirks::default(),
                parameters: config::Parameters::default(),
                capacity: config::Capacity::default(),
            }],
            fallbacks: config::Fallbacks::default(),
        };
        Arc::new(Config {
            gateway: id("main"),
            settings: Settings {
                master_key: None,
                limits: config::Limits { request_body_bytes: 1, answer_bytes: 1, stream_event_bytes: 1 },
                timeouts,
                on_loss: config::OnLoss::Report,
                unknown_price: config::UnknownPrice::Allow,
                user_budgets: config::UserBudgets::AllKeys,
                routing: config::Routing::default(),
                default_fallbacks: Vec::new(),
                egress: config::Egress::default(),
            },
            models: models.iter().map(model).collect(),
            budgets: Vec::new(),
            keys: Vec::new(),
            routes: Vec::new(),
        })
    }

    fn id(name: &str) -> ObjectName {
        ObjectName { namespace: "ns".into(), name: name.into() }
    }

    #[test]
    fn an_edit_moves_its_own_deployment_only() {
        let mut progress = Progress::new("r1".into(), config(&[("a", 1), ("b", 1)]));
        progress.publish("r2".into(), config(&[("a", 2), ("b", 1)]), None);
        progress.publish("r3".into(), config(&[("a", 2), ("b", 1), ("c", 1)]), None);
        let since = |name| progress.since(&reference((Kind::ModelDeployment, &id(name))));
        assert_eq!((since("a"), since("b"), since("c"), since("d")), (Some(2), Some(1), Some(3), None));
    }

    #[test]
    fn a_route_moves_by_itself_and_fallbacks_of_models_move_their_gateway() {
        let with = |attempts: u32, fallback: &str| {
            let mut config = Config::clone(&config(&[("a", 1), ("b", 1)]));
            let mut routing = config::Routing::default();
            routing.retries.attempts = attempts;
            config.routes.push(Route {
                id: id("a"),
                uid: String::new(),
                name: "smart".into(),
                aliases: Vec::new(),
                targets: Vec::new(),
                routing,
                fallbacks: Fallbacks::default(),
            });
            config.models[0].fallbacks.on_error = vec![fallback.to_owned()];
            Arc::new(config)
        };
        let mut progress = Progress::new("r1".into(), with(1, "b"));
        let unpublished = progress.unpublished(&with(2, "b"));
        assert_eq!(unpublished, BTreeSet::from([reference((Kind::ModelRoute, &id("a")))]));
        assert!(!progress.differs_in_settings(&with(2, "b")));
        assert!(progress.differs_in_settings(&with(1, "c")));
        progress.publish("r2".into(), with(2, "b"), None);
        let since = |kind| progress.since(&reference((kind, &id("a"))));
        assert_eq!((since(Kind::ModelRoute), since(Kind::ModelDeployment)), (Some(2), Some(1)));
    }

    #[test]
    fn a_revision_that_comes_back_counts_as_its_latest_publish() {
        let mut progress = Progress::new("r1".into(), config(&[("a", 1)]));
        progress.publish("r2".into(), config(&[("a", 2)]), None);
        progress.publish("r1".into(), config(&[("a", 1)]), None);
        assert_eq!(progress.number_of(Some("r1")), 3);
        assert_eq!((progress.number_of(Some("r0")), progress.number_of(None)), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn propagation_is_measured_once_for_each_change() {
        let seen = Instant::now();
        let mut progress = Progress::new("r1".into(), config(&[("a", 1)]));
        progress.publish("r2".into(), config(&[("a", 2)]), Some(seen));
        let later = seen + Duration::from_secs(1);
        assert_eq!(progress.reached(1, later), Vec::<Duration>::new());
        assert_eq!(progress.reached(2, later), [Duration::from_secs(1)]);
        assert_eq!(progress.reached(2, later), Vec::<Duration>::new());
    }
}
