//! A script, named by its hash: its text is sent only to a server that does not know it.

use redis::Cmd;

#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    hash: Box<str>,
}

impl Script {
    pub(super) fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().into() }
    }

    pub(super) fn by_hash(&self) -> Cmd {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(&*self.hash);
        cmd
    }

    pub(super) fn by_text(&self) -> Cmd {
        let mut cmd = redis::cmd("EVAL");
        cmd.arg(self.text);
        cmd
    }
}
