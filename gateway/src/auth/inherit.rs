//! What a key of the store may do and use: what is written on it, on its team, on its user's place in the team, and on its
//! user. `docs/stored-keys.md` has the order as a table; here it is made. Customers, whom requests name, are held to theirs beside
//! it.

use limits::{AtLimit, CalendarUnit, MOST, Unit, Window};
use store::accounts::{Budget, Customer, Holder, Kind, Member, ModelGroup, Terms};

use super::memory::Tie;
use super::period;
use crate::snapshot::{Access, Key, Own, OwnLimit, Owner, Routes, Rule, Shut, Whose};

/// LiteLLM's word for every model.
const ALL_MODELS: &str = "all-proxy-models";

/// LiteLLM's word for every model that the team may ask.
const TEAM_MODELS: &str = "all-team-models";

/// A customer, as requests for them are held to it.
#[derive(Debug)]
pub(crate) struct Patron {
    pub(crate) access: Access,
    pub(crate) limits: Vec<OwnLimit>,
    pub(crate) is_blocked: bool,
}

/// The key of `holder`, and the accounts that it is made from.
pub(super) fn key(holder: &Holder) -> (Key, Vec<Tie>) {
    let Holder { key, team, user, .. } = holder;
    let alias = key.alias.clone().filter(|alias| !alias.is_empty());
    let made = Key {
        // No namespace has a colon, so no VirtualKey has this label.
        label: format!("key:{}", key.id),
        called: alias.clone().unwrap_or_else(|| key.shown.clone()),
        id: None,
        stored: Some(key.id.clone()),
        display_name: alias,
        team: key.team_id.clone(),
        user: key.user_id.clone(),
        access: access(holder),
        routes: Routes::new(&key.routes, key.key_type),
        tags: key.tags.clone(),
        budgets: Vec::new(),
        limits: limits(holder),
        expires_at: key.expires_us.map(seconds),
        shut: if key.blocked {
            Some(Shut::Blocked)
        } else if team.as_ref().is_some_and(|team| team.blocked) {
            Some(Shut::TeamBlocked)
        } else if user.as_ref().is_some_and(|user| user.blocked) {
            Some(Shut::UserBlocked)
        } else {
            None
        },
    };
    (made, ties(holder))
}

/// The customer, with the budget that they refer to and the groups that their models name.
pub(super) fn patron(
    customer: &Customer,
    budget: Option<&Budget>,
    groups: &[ModelGroup],
) -> (Patron, Vec<Tie>) {
    let list = list(Whose::Customer, (&customer.models, &customer.model_groups), groups);
    let called = customer.alias.as_ref().unwrap_or(&customer.id);
    let holder = Bearer { whose: Whose::Customer, id: &customer.id, called };
    let patron = Patron {
        access: Access::of_lists(list),
        limits: holder.limits(&customer.terms.or(budget.map(|budget| &budget.terms))),
        is_blocked: customer.blocked,
    };
    let budget = customer.budget_id.as_ref().map(|id| tie(Kind::Budget, id));
    (patron, std::iter::once(tie(Kind::Customer, &customer.id)).chain(budget).collect())
}

/// What tells of a customer, also where there is none.
pub(super) fn ties_of_customer(name: &str) -> Vec<Tie> {
    vec![tie(Kind::Customer, name)]
}

/// A model must be on every list. A user's is for their keys without a team: with one, it is the team's that counts.
fn access(holder: &Holder) -> Access {
    let Holder { key, team, user, member, groups, .. } = holder;
    // Without a team it stands for no model.
    let is_teams = team.is_some() && key.models.iter().any(|model| model == TEAM_MODELS);
    let own = list(Whose::Key, (&key.models, &key.model_groups), groups).filter(|_| !is_teams);
    let members = member.as_ref().and_then(|member| list(Whose::Member, (&member.models, &[]), groups));
    let teams = team.as_ref().and_then(|team| list(Whose::Team, (&team.models, &team.model_groups), groups));
    let users = user.as_ref().filter(|_| key.team_id.is_none());
    let users = users.and_then(|user| list(Whose::User, (&user.models, &user.model_groups), groups));
    Access::of_lists([own, members, teams, users].into_iter().flatten())
}

/// The models of a list; `None` where it is every model.
fn list(
    whose: Whose,
    (models, ids): (&[String], &[String]),
    groups: &[ModelGroup],
) -> Option<(Whose, Vec<String>)> {
    let is_everything = models.is_empty() && ids.is_empty();
    if is_everything || models.iter().any(|model| model == ALL_MODELS) {
        return None;
    }
    let named = groups.iter().filter(|group| ids.contains(&group.id) || models.contains(&group.name));
    let of_groups = named.flat_map(|group| &group.models);
    Some((whose, models.iter().chain(of_groups).cloned().collect()))
}

/// All of them hold at once.
fn limits(holder: &Holder) -> Vec<OwnLimit> {
    let Holder { key, team, user, member, .. } = holder;
    let terms = |budget: &Option<Budget>| budget.as_ref().map(|budget| budget.terms.clone());
    let called = key.alias.as_ref().unwrap_or(&key.shown);
    let bearer = Bearer { whose: Whose::Key, id: &key.id, called };
    let mut limits = bearer.limits(&key.terms.or(terms(&holder.key_budget).as_ref()));
    if let (Some(team), Some(user)) = (&key.team_id, &key.user_id) {
        let own = member.as_ref().map(|member| member.terms.clone()).unwrap_or_default();
        let (id, called) = (Member::id_of(team, user), format!("{user} in {team}"));
        let bearer = Bearer { whose: Whose::Member, id: &id, called: &called };
        limits.extend(bearer.limits(&own.or(terms(&holder.member_budget).as_ref())));
    }
    if let Some(team) = team {
        let called = team.alias.as_ref().unwrap_or(&team.id);
        limits.extend(Bearer { whose: Whose::Team, id: &team.id, called }.limits(&team.terms));
    }
    if let Some(user) = user {
        limits.extend(Bearer { whose: Whose::User, id: &user.id, called: &user.id }.limits(&user.terms));
    }
    limits
}

fn ties(holder: &Holder) -> Vec<Tie> {
    let Holder { key, team, member, .. } = holder;
    let both = key.team_id.as_deref().zip(key.user_id.as_deref());
    let member_id = both.map(|(team, user)| Member::id_of(team, user));
    let budgets = [
        key.budget_id.as_deref(),
        member.as_ref().and_then(|member| member.budget_id.as_deref()),
        team.as_ref().and_then(|team| team.member_budget_id.as_deref()),
    ];
    let budgets = budgets.into_iter().map(|id| (Kind::Budget, id));
    let others = [
        (Kind::Key, Some(key.id.as_str())),
        // Also where they are not there: they may come.
        (Kind::Team, key.team_id.as_deref()),
        (Kind::User, key.user_id.as_deref()),
        (Kind::Member, member_id.as_deref()),
    ];
    others.into_iter().chain(budgets).filter_map(|(kind, id)| Some(tie(kind, id?))).collect()
}

fn tie(kind: Kind, id: &str) -> Tie {
    Tie { kind, id: id.to_owned() }
}

pub(super) fn seconds(us: i64) -> u64 {
    u64::try_from(us.div_euclid(1_000_000)).unwrap_or_default()
}

/// Whose terms they are.
#[derive(Clone, Copy)]
struct Bearer<'a> {
    whose: Whose,
    id: &'a str,
    /// For people.
    called: &'a str,
}

/// One limit of some terms.
struct Term {
    name: String,
    /// What it is called where the name says too much.
    kind: &'static str,
    unit: Unit,
    amount: i64,
    window: Window,
    model: Option<String>,
}

impl Bearer<'_> {
    fn limits(self, terms: &Terms) -> Vec<OwnLimit> {
        let soft = terms.soft_budget_nano;
        let mut all = self.budgets(terms);
        all.extend(rates(terms));
        all.extend(self.of_models(terms));
        let mut made: Vec<_> = all
            .into_iter()
            .map(|term| {
                let soft = soft.filter(|_| term.name == BUDGET).map(amount);
                self.make(term, soft, AtLimit::Refuse, terms)
            })
            .collect();
        if let (None, Some(soft)) = (terms.max_budget_nano, soft) {
            let window = self.window(terms.budget_duration.as_deref());
            let (kind, unit) = ("soft-budget", Unit::NanoUsd);
            let term = Term { name: kind.into(), kind, unit, amount: soft, window, model: None };
            made.push(self.make(term, None, AtLimit::Count, terms));
        }
        made
    }

    fn budgets(self, terms: &Terms) -> Vec<Term> {
        let one =
            terms.max_budget_nano.map(|most| (BUDGET.to_owned(), most, terms.budget_duration.as_deref()));
        let more = terms.windows.iter().map(|window| {
            let duration = window.budget_duration.as_str();
            (format!("{BUDGET}-{duration}"), window.max_budget_nano, Some(duration))
        });
        let all = one.into_iter().chain(more).map(|(name, amount, duration)| Term {
            name,
            kind: BUDGET,
            unit: Unit::NanoUsd,
            amount,
            window: self.window(duration),
            model: None,
        });
        all.collect()
    }

    fn of_models(self, terms: &Terms) -> Vec<Term> {
        let mut all = Vec::new();
        for (model, terms) in &terms.models {
            let duration = terms.budget_duration.as_deref();
            let each = [
                (BUDGET, "model-budget", Unit::NanoUsd, terms.max_budget_nano),
                (REQUESTS, "model-requests-per-minute", Unit::Requests, terms.requests_per_minute),
                (TOKENS, "model-tokens-per-minute", Unit::Tokens, terms.tokens_per_minute),
            ];
            for (name, kind, unit, amount) in each {
                let window = if unit == Unit::NanoUsd { self.window(duration) } else { minute() };
                let (name, model) = (format!("{name} of {model}"), Some(model.clone()));
                all.extend(amount.map(|amount| Term { name, kind, unit, amount, window, model }));
            }
        }
        all
    }

    /// A duration that is none counts for ever, which lets nobody through who should not pass.
    fn window(self, duration: Option<&str>) -> Window {
        let Some(duration) = duration else { return Window::Forever };
        period::window(duration).unwrap_or_else(|error| {
            tracing::warn!(of = self.whose.word(), id = self.id, %error, "a budget never starts anew");
            Window::Forever
        })
    }

    fn make(self, term: Term, soft: Option<u64>, at_limit: AtLimit, terms: &Terms) -> OwnLimit {
        let reset = terms.reset_us.filter(|_| term.unit != Unit::Concurrency).unwrap_or_default();
        let rule = Rule::own(Own {
            owner: Owner::Account { whose: self.whose, called: self.called.to_owned() },
            // What people choose comes last, so that no two can be mistaken for each other.
            prefix: format!("store/{}/{reset}/{}/{}/", self.whose.word(), part(self.id), part(&term.name)),
            limit: term.name,
            kind: term.kind,
            unit: term.unit,
            amount: amount(term.amount),
            soft,
            window: term.window,
            at_limit,
        });
        OwnLimit { rule, whose: self.whose, model: term.model }
    }
}

/// The limit that all the money is in.
const BUDGET: &str = "budget";

const REQUESTS: &str = "requests-per-minute";

const TOKENS: &str = "tokens-per-minute";

fn rates(terms: &Terms) -> impl Iterator<Item = Term> {
    let day = Window::calendar(CalendarUnit::Day, "UTC", None).unwrap_or(Window::Forever);
    let all = [
        (REQUESTS, Unit::Requests, terms.requests_per_minute, minute()),
        (TOKENS, Unit::Tokens, terms.tokens_per_minute, minute()),
        ("tokens-per-day", Unit::Tokens, terms.tokens_per_day, day),
        ("max-concurrent", Unit::Concurrency, terms.max_concurrent, Window::Forever),
    ];
    all.into_iter().filter_map(|(kind, unit, amount, window)| {
        Some(Term { name: kind.to_owned(), kind, unit, amount: amount?, window, model: None })
    })
}

fn minute() -> Window {
    Window::rolling(std::time::Duration::from_secs(60)).unwrap_or(Window::Forever)
}

/// What is less than nothing is nothing.
fn amount(written: i64) -> u64 {
    u64::try_from(written).unwrap_or_default().min(MOST)
}

/// Without the slash, which keeps parts of a counter's key apart.
fn part(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F")
}

#[cfg(test)]
mod tests;
