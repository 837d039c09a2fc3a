//! Anthropic's API.

pub(super) mod messages;
