//! Groups of counters in Redis: two sorted sets for each span of a group's window, changed and read by one script.

use jiff::Timestamp;
use redis::{Cmd, Value};

use super::Redis;
use super::read::{amount, text};
use crate::backend::Away;
use crate::counter::whole_ms;
use crate::roll::{Fullest, Group, MEMBERS};

impl Redis {
    pub(crate) async fn note(&self, group: &Group, seen: &[(&str, u64)], now: Timestamp) -> Result<(), Away> {
        let fill = |cmd: &mut Cmd| {
            self.fill_roll(group, (0, 0), now, cmd);
            for (name, used) in seen {
                cmd.arg(*name).arg(*used);
            }
        };
        self.evaluate(&self.roll, fill).await?;
        Ok(())
    }

    pub(crate) async fn fullest(
        &self,
        group: &Group,
        full_at: u64,
        most: usize,
        now: Timestamp,
    ) -> Result<Fullest, Away> {
        let answer =
            self.evaluate(&self.roll, |cmd| self.fill_roll(group, (full_at, most), now, cmd)).await?;
        read(answer).ok_or_else(|| self.link.unreadable())
    }

    fn fill_roll(&self, group: &Group, (full_at, most): (u64, usize), now: Timestamp, cmd: &mut Cmd) {
        let place = group.place(now);
        let key = |kind: &str| format!("{}:{kind}:{}:{}", self.prefix, group.name(), place.id);
        cmd.arg(2).arg(key("gu")).arg(key("gn"));
        cmd.arg(now.as_millisecond()).arg(place.oldest_ms).arg(MEMBERS).arg(whole_ms(place.kept));
        cmd.arg(full_at).arg(most);
    }
}

fn read(answer: Value) -> Option<Fullest> {
    let Value::Array(values) = answer else { return None };
    let mut values = values.into_iter();
    let mut fullest =
        Fullest { members: amount(values.next()?)?, full: amount(values.next()?)?, first: Vec::new() };
    while let Some(name) = values.next() {
        fullest.first.push((text(name)?, text(values.next()?)?.parse().ok()?));
    }
    Some(fullest)
}
