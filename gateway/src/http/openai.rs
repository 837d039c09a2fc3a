//! OpenAI's API.

pub(super) mod chat;
pub(super) mod models;
pub(super) mod responses;
