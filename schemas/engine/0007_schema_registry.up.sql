-- The built-in schema registry. Rows are only added: topics may hold records of every schema that was ever registered.
CREATE TABLE cdc.schemas (
    -- Made of the text, not counted: an engine that comes from a backup, or is made anew, gives each schema the id that topics know it by.
    id                   integer PRIMARY KEY CHECK (id > 0),
    schema               text NOT NULL,
    created_at           timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cdc.schema_versions (
    subject              text NOT NULL CHECK (subject <> ''),
    version              integer NOT NULL CHECK (version > 0),
    schema_id            integer NOT NULL REFERENCES cdc.schemas,
    created_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, version),
    UNIQUE (subject, schema_id)
);
CREATE INDEX schema_versions_schema ON cdc.schema_versions (schema_id);

CREATE TABLE cdc.schema_compatibility (
    -- '' is the level of subjects that have none of their own.
    subject              text PRIMARY KEY,
    level                text NOT NULL CHECK (level IN ('NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'))
);
INSERT INTO cdc.schema_compatibility (subject, level) VALUES ('', 'BACKWARD');
