-- What every subject has used and cost on each day (UTC), by key, model and provider. Text is empty where there is none.
CREATE TABLE spend_daily (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    day TEXT NOT NULL,
    key_id TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    requests BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failed_attempts BIGINT NOT NULL,
    duration_us BIGINT NOT NULL,
    fresh_input BIGINT NOT NULL,
    cached_input BIGINT NOT NULL,
    cache_write BIGINT NOT NULL,
    output BIGINT NOT NULL,
    reasoning BIGINT NOT NULL,
    cost_nano BIGINT NOT NULL,
    PRIMARY KEY (kind, subject, day, key_id, model, provider)
);
