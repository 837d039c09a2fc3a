-- What each request, and each attempt of one that failed, has used and cost. `src/spend.rs` says what the columns mean,
-- `src/spend/months.rs` how months become partitions. The one by default takes what belongs to none of them.
CREATE TABLE spend (
    request_id TEXT COLLATE "C" NOT NULL,
    attempt INTEGER NOT NULL,
    started_us BIGINT NOT NULL,
    duration_us BIGINT NOT NULL,
    first_byte_us BIGINT,
    gateway TEXT,
    key_id TEXT,
    key_hash TEXT,
    team_id TEXT,
    user_id TEXT,
    customer_id TEXT,
    tags TEXT NOT NULL,
    task TEXT NOT NULL,
    dialect TEXT NOT NULL,
    model TEXT,
    deployment TEXT,
    provider TEXT,
    upstream_model TEXT,
    attempts INTEGER NOT NULL,
    is_stream BOOLEAN NOT NULL,
    is_cached BOOLEAN NOT NULL,
    status INTEGER,
    outcome TEXT NOT NULL,
    fault TEXT,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    fresh_input BIGINT NOT NULL,
    cached_input BIGINT NOT NULL,
    cache_write BIGINT NOT NULL,
    cache_write_hour BIGINT NOT NULL,
    audio_input BIGINT NOT NULL,
    cached_audio BIGINT NOT NULL,
    image_input BIGINT NOT NULL,
    output BIGINT NOT NULL,
    reasoning BIGINT NOT NULL,
    audio_output BIGINT NOT NULL,
    image_output BIGINT NOT NULL,
    searches BIGINT NOT NULL,
    tier TEXT,
    is_estimate BOOLEAN NOT NULL,
    cost_nano BIGINT,
    PRIMARY KEY (started_us, request_id, attempt)
) PARTITION BY RANGE (started_us);
CREATE INDEX spend_by_request ON spend (request_id);
CREATE INDEX spend_by_model ON spend (model, started_us) WHERE model IS NOT NULL;
CREATE INDEX spend_by_key ON spend (key_id, started_us) WHERE key_id IS NOT NULL;
CREATE INDEX spend_by_team ON spend (team_id, started_us) WHERE team_id IS NOT NULL;
CREATE INDEX spend_by_user ON spend (user_id, started_us) WHERE user_id IS NOT NULL;
CREATE INDEX spend_by_customer ON spend (customer_id, started_us) WHERE customer_id IS NOT NULL;
CREATE TABLE spend_default PARTITION OF spend DEFAULT;
