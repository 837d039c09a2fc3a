-- What requests have put into the counters of budgets and rate limits, so that it outlives them. `src/counted.rs` says more.
-- `space` is whose counters they are, `span` of which window, `slot` which part of a window that rolls.
CREATE TABLE counted (
    space TEXT NOT NULL,
    counter TEXT NOT NULL,
    span TEXT NOT NULL,
    slot BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    until_us BIGINT,
    PRIMARY KEY (space, counter, span, slot)
);
CREATE INDEX counted_by_until ON counted (until_us) WHERE until_us IS NOT NULL;

-- Whose requests are in it that have ended of late, by the names of their reservations.
CREATE TABLE counted_of_late (
    space TEXT NOT NULL,
    reservation TEXT NOT NULL,
    ended_us BIGINT NOT NULL,
    PRIMARY KEY (space, reservation)
);
CREATE INDEX counted_of_late_by_end ON counted_of_late (ended_us);
