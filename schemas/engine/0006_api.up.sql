-- What the Api keeps: keys, feature flags with who changed them, and how much was applied on each day.
CREATE TABLE cdc.api_keys (
    -- The part of the key that is no secret.
    id                   text PRIMARY KEY CHECK (id ~ '^[a-z0-9]{12}$'),
    name                 text NOT NULL,
    -- SHA-256 of the secret, which is 32 random bytes: nothing slower is needed against guessing.
    secret_hash          bytea NOT NULL CHECK (length(secret_hash) = 32),
    scopes               text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'operate', 'cutover']),
    -- NULL: what the Api's setting says.
    requests_per_second  integer CHECK (requests_per_second > 0),
    created_at           timestamptz NOT NULL DEFAULT now(),
    created_by           text NOT NULL DEFAULT current_user,
    -- Kept: while there was ever a key, nobody is let in without one.
    revoked_at           timestamptz
);

CREATE TABLE cdc.feature_flags (
    name                 text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    enabled              boolean NOT NULL,
    -- Of cards, by a hash that never changes: raising it only adds cards.
    percentage           numeric(5,2) NOT NULL DEFAULT 100 CHECK (percentage BETWEEN 0 AND 100),
    -- Empty: all companies.
    companies            bigint[] NOT NULL DEFAULT '{}',
    version              bigint NOT NULL DEFAULT 1,
    updated_at           timestamptz NOT NULL DEFAULT now(),
    updated_by           text NOT NULL
);

CREATE TABLE cdc.feature_flag_changes (
    id                   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                 text NOT NULL,
    changed_at           timestamptz NOT NULL DEFAULT now(),
    -- The key's name and id, or "local" where none was needed.
    changed_by           text NOT NULL,
    address              text,
    before               jsonb,
    after                jsonb NOT NULL
);
CREATE INDEX feature_flag_changes_name ON cdc.feature_flag_changes (name, id DESC);

-- Counted by the processes that apply, and added every few seconds: a crash loses the last of them. A statistic, not a checkpoint.
CREATE TABLE cdc.applied_days (
    day                  date PRIMARY KEY,
    rows                 bigint NOT NULL DEFAULT 0,
    transactions         bigint NOT NULL DEFAULT 0
);
