//! Notices in Redis: a key that expires for each, and a list for each board.

use std::time::Duration;

use redis::{Cmd, Value};

use super::Redis;
use super::read::text;
use crate::backend::Away;
use crate::counter::whole_ms;
use crate::notice::{Claim, ENTRIES, Notice};

impl Redis {
    pub(crate) async fn claim(&self, notice: &Notice<'_>) -> Result<Claim, Away> {
        let fill = |cmd: &mut Cmd| {
            let kept = whole_ms(notice.kept).max(1);
            match notice.entry {
                None => cmd.arg(1).arg(self.notice(notice.name)).arg(kept),
                Some((board, entry)) => {
                    cmd.arg(2).arg(self.notice(notice.name)).arg(self.board_key(board));
                    cmd.arg(kept).arg(entry).arg(ENTRIES)
                }
            };
        };
        match self.evaluate(&self.claim, fill).await? {
            Value::Int(0) => Ok(Claim::Others),
            Value::Int(1) => Ok(Claim::Mine),
            Value::Int(2) => Ok(Claim::Told),
            _ => Err(self.link.unreadable()),
        }
    }

    pub(crate) async fn told(&self, name: &str, kept: Duration) -> Result<(), Away> {
        let mut cmd = redis::cmd("SET");
        cmd.arg(self.notice(name)).arg("told").arg("PX").arg(whole_ms(kept).max(1));
        self.link.query(&cmd).await.map(drop).map_err(|error| self.link.away(&error))
    }

    pub(crate) async fn renew(&self, name: &str, kept: Duration) -> Result<(), Away> {
        let fill = |cmd: &mut Cmd| {
            cmd.arg(1).arg(self.notice(name)).arg(whole_ms(kept).max(1));
        };
        self.evaluate(&self.renew, fill).await.map(drop)
    }

    pub(crate) async fn board(&self, board: &str) -> Result<Vec<String>, Away> {
        let mut cmd = redis::cmd("LRANGE");
        cmd.arg(self.board_key(board)).arg(0).arg(-1);
        let answer = self.link.query(&cmd).await.map_err(|error| self.link.away(&error))?;
        let Value::Array(entries) = answer else { return Err(self.link.unreadable()) };
        let entries: Option<Vec<_>> = entries.into_iter().map(text).collect();
        entries.ok_or_else(|| self.link.unreadable())
    }

    fn notice(&self, name: &str) -> String {
        format!("{}:n:{name}", self.prefix)
    }

    fn board_key(&self, board: &str) -> String {
        format!("{}:b:{board}", self.prefix)
    }
}
