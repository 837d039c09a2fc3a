//! What the renderer promises, rule by rule. `support.rs` reads YAML as people write it.

#[cfg(test)]
mod budget_families;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod egress;
#[cfg(test)]
mod fallbacks;
#[cfg(test)]
mod field_walk;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod groups;
mod keys;
#[cfg(test)]
mod last_good;
mod parameters;
#[cfg(test)]
mod pricing;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod references;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod support;
