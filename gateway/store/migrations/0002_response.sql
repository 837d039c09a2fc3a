-- Responses that the gateway keeps for providers that keep none.
CREATE TABLE response (
    id TEXT PRIMARY KEY NOT NULL,
    caller TEXT NOT NULL,
    model TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    input TEXT NOT NULL,
    answer TEXT NOT NULL
);
CREATE INDEX response_by_expiry ON response (expires_us);
