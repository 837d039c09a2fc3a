//! A script, named by its hash: its text is sent only to a server that does not know it.

use redis::{Cmd, Value};

use super::link::{Link, is_unknown_script};
use crate::backend::Away;

#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    hash: Box<str>,
}

impl Script {
    pub(super) fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().into() }
    }

    /// What it answers, filled in by `fill`: at least a number of keys, and so many keys.
    pub(super) async fn run(&self, link: &Link, fill: impl Fn(&mut Cmd) + Sync) -> Result<Value, Away> {
        let mut cmd = self.by_hash();
        fill(&mut cmd);
        match link.query(&cmd).await {
            Err(error) if is_unknown_script(&error) => {
                let mut cmd = self.by_text();
                fill(&mut cmd);
                link.query(&cmd).await.map_err(|error| link.away(&error))
            }
            answered => answered.map_err(|error| link.away(&error)),
        }
    }

    fn by_hash(&self) -> Cmd {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(&*self.hash);
        cmd
    }

    fn by_text(&self) -> Cmd {
        let mut cmd = redis::cmd("EVAL");
        cmd.arg(self.text);
        cmd
    }
}
