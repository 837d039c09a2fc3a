-- Who may ask what, and how much: keys, teams with their members, users, customers, budgets to refer to, and groups of
-- models. `doc` is the whole of it, as JSON; the columns beside it are those that are searched by. `seq` is the number
-- of its last change. `src/accounts.rs` says more.
CREATE TABLE api_key (
    id TEXT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    hash TEXT NOT NULL,
    former_hash TEXT,
    alias TEXT,
    team_id TEXT,
    user_id TEXT,
    organization_id TEXT,
    budget_id TEXT,
    created_by TEXT,
    doc TEXT NOT NULL
);
CREATE UNIQUE INDEX api_key_by_hash ON api_key (hash);
CREATE UNIQUE INDEX api_key_by_former_hash ON api_key (former_hash) WHERE former_hash IS NOT NULL;
CREATE INDEX api_key_by_time ON api_key (created_us, id);
CREATE INDEX api_key_by_alias ON api_key (alias, created_us, id) WHERE alias IS NOT NULL;
CREATE INDEX api_key_by_team ON api_key (team_id, created_us, id) WHERE team_id IS NOT NULL;
CREATE INDEX api_key_by_user ON api_key (user_id, created_us, id) WHERE user_id IS NOT NULL;
CREATE INDEX api_key_by_organization ON api_key (organization_id, created_us, id) WHERE organization_id IS NOT NULL;
CREATE INDEX api_key_by_budget ON api_key (budget_id, created_us, id) WHERE budget_id IS NOT NULL;
CREATE INDEX api_key_by_creator ON api_key (created_by, created_us, id) WHERE created_by IS NOT NULL;

CREATE TABLE team (
    id TEXT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    alias TEXT,
    organization_id TEXT,
    member_budget_id TEXT,
    doc TEXT NOT NULL
);
CREATE INDEX team_by_time ON team (created_us, id);
CREATE INDEX team_by_alias ON team (alias, created_us, id) WHERE alias IS NOT NULL;
CREATE INDEX team_by_organization ON team (organization_id, created_us, id) WHERE organization_id IS NOT NULL;

-- The id is the JSON list of team and user.
CREATE TABLE team_member (
    id TEXT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    team_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    budget_id TEXT,
    doc TEXT NOT NULL
);
CREATE UNIQUE INDEX team_member_by_both ON team_member (team_id, user_id);
CREATE INDEX team_member_by_time ON team_member (created_us, id);
CREATE INDEX team_member_by_team ON team_member (team_id, created_us, id);
CREATE INDEX team_member_by_user ON team_member (user_id, created_us, id);

CREATE TABLE api_user (
    id TEXT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    email TEXT,
    role TEXT,
    doc TEXT NOT NULL
);
CREATE INDEX api_user_by_time ON api_user (created_us, id);
CREATE INDEX api_user_by_email ON api_user (email, created_us, id) WHERE email IS NOT NULL;
CREATE INDEX api_user_by_role ON api_user (role, created_us, id) WHERE role IS NOT NULL;

CREATE TABLE customer (
    id TEXT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    budget_id TEXT,
    doc TEXT NOT NULL
);
CREATE INDEX customer_by_time ON customer (created_us, id);
CREATE INDEX customer_by_budget ON customer (budget_id, created_us, id) WHERE budget_id IS NOT NULL;

CREATE TABLE budget (
    id TEXT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX budget_by_time ON budget (created_us, id);

CREATE TABLE model_group (
    id TEXT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    name TEXT NOT NULL,
    doc TEXT NOT NULL
);
CREATE UNIQUE INDEX model_group_by_name ON model_group (name);
CREATE INDEX model_group_by_time ON model_group (created_us, id);

-- The last changes of all these, by number and without a gap, so that gateways can catch up on what they missed. The
-- clock has one row, which every change takes first: so numbers are seen in their order.
CREATE TABLE change_clock (
    one INTEGER PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL
);
INSERT INTO change_clock (one, seq) VALUES (1, 0);
CREATE TABLE change (
    seq BIGINT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL
);
