namespace Cdc.Tests.Integration.Pipeline.Matrix;

internal static class TableChanges
{
    private const string H = "loyalty_point_history";
    private const string Tables = $"loyalty_program, loyalty_card, loyalty_point_move, {H}";
    private const string Others = "loyalty_program, loyalty_card, loyalty_point_move";
    private const string Publish = "publish = 'insert, update, delete, truncate'";

    private static readonly string[] RenamedBack = [$"ALTER TABLE {H}_old RENAME TO {H}"];

    public static IReadOnlyList<TableChange> All { get; } =
    [.. OfIdentity(), .. OfColumns(), .. OfKind(), .. OfPartitions(), .. OfRows(), .. OfPublication(), .. OfRole()];

    private static IEnumerable<TableChange> OfIdentity() =>
        [
            Stopping(
                "replica identity NOTHING",
                $"ALTER TABLE {H} REPLICA IDENTITY NOTHING",
                $"ALTER TABLE {H} REPLICA IDENTITY DEFAULT",
                ("Replica identity", "replica-identity")
            ) with
            {
                OverKafka = true,
                AfterRemedy = [],
            },
            Stopping(
                "replica identity by an index without the key",
                $"ALTER TABLE {H} REPLICA IDENTITY USING INDEX by_tag",
                $"ALTER TABLE {H} REPLICA IDENTITY DEFAULT",
                ("an index without id", "replica-identity")
            ) with
            {
                Before =
                [
                    // No identity column: tables that inherit have no value for it, and partitions may not have one.
                    $"CREATE SEQUENCE tags; ALTER TABLE {H} ADD COLUMN tag int NOT NULL DEFAULT nextval('tags'); CREATE UNIQUE INDEX by_tag ON {H} (tag)",
                ],
                OverKafka = true,
                AfterRemedy = [],
            },
            new("replica identity FULL", [$"ALTER TABLE {H} REPLICA IDENTITY FULL"], [$"ALTER TABLE {H} REPLICA IDENTITY DEFAULT"]),
            Stopping(
                "primary key dropped",
                $"ALTER TABLE {H} DROP CONSTRAINT {H}_pkey",
                $"{OneOfEachKey}ALTER TABLE {H} ADD PRIMARY KEY (id)",
                ("is not the primary key", "key-not-primary")
            ),
            Stopping(
                "primary key dropped, identity FULL, a row without a key",
                $"ALTER TABLE {H} DROP CONSTRAINT {H}_pkey, ALTER id DROP NOT NULL, REPLICA IDENTITY FULL; INSERT INTO {H} (id, points_amount) VALUES (NULL, 1)",
                $"DELETE FROM {H} WHERE id IS NULL; {OneOfEachKey}ALTER TABLE {H} ADD PRIMARY KEY (id), REPLICA IDENTITY DEFAULT",
                ("is not the primary key", "key-not-primary")
            ),
            new(
                "primary key dropped and made again",
                [$"ALTER TABLE {H} DROP CONSTRAINT {H}_pkey", $"{OneOfEachKey}ALTER TABLE {H} ADD CONSTRAINT {H}_pkey PRIMARY KEY (id)"],
                []
            ),
            Stopping(
                "primary key made DEFERRABLE",
                $"ALTER TABLE {H} DROP CONSTRAINT {H}_pkey, ADD CONSTRAINT {H}_pkey PRIMARY KEY (id) DEFERRABLE",
                $"ALTER TABLE {H} DROP CONSTRAINT {H}_pkey, ADD CONSTRAINT {H}_pkey PRIMARY KEY (id)",
                ("DEFERRABLE", "replica-identity")
            ) with
            {
                AfterRemedy =
                [
                    $"ALTER TABLE {H} DROP CONSTRAINT {H}_pkey, ADD CONSTRAINT {H}_pkey PRIMARY KEY (id), REPLICA IDENTITY DEFAULT",
                ],
            },
        ];

    private static IEnumerable<TableChange> OfColumns() =>
        [
            Stopping(
                "mapped column dropped",
                $"ALTER TABLE {H} DROP COLUMN points_amount",
                $"ALTER TABLE {H} ADD COLUMN points_amount double precision DEFAULT 3",
                ("points_amount", "column-missing")
            ),
            Stopping(
                "mapped column renamed",
                $"ALTER TABLE {H} RENAME COLUMN points_amount TO amount",
                $"ALTER TABLE {H} RENAME COLUMN amount TO points_amount",
                ("points_amount", "column-missing")
            ),
            Stopping(
                "mapped column of a type that cannot be read",
                $"ALTER TABLE {H} ALTER points_amount TYPE text",
                $"ALTER TABLE {H} ALTER points_amount TYPE double precision USING points_amount::double precision + 1",
                ("points_amount", "column-type")
            ),
            Stopping(
                "mapped column made generated",
                $"ALTER TABLE {H} DROP COLUMN points_amount; ALTER TABLE {H} ADD COLUMN points_amount float8 GENERATED ALWAYS AS (points_balance * 2) STORED",
                $"ALTER TABLE {H} ALTER COLUMN points_amount DROP EXPRESSION",
                ("is generated", "column-generated")
            ),
            new("another column added", [$"ALTER TABLE {H} ADD COLUMN extra text DEFAULT 'x'"], [$"ALTER TABLE {H} DROP COLUMN extra"]),
        ];

    private static IEnumerable<TableChange> OfKind() =>
        [
            Stopping("table renamed", $"ALTER TABLE {H} RENAME TO {H}_old", RenamedBack[0], ("does not exist", "table-missing")),
            Stopping(
                "table moved to another schema",
                $"CREATE SCHEMA IF NOT EXISTS elsewhere; ALTER TABLE {H} SET SCHEMA elsewhere",
                $"ALTER TABLE elsewhere.{H} SET SCHEMA public",
                ("does not exist", "table-missing")
            ),
            Stopping(
                "table dropped",
                $"DROP TABLE {H}",
                $"CREATE TABLE {H} (LIKE kept INCLUDING INDEXES)",
                ("does not exist", "table-missing")
            ) with
            {
                Before = [$"CREATE TABLE kept (LIKE {H} INCLUDING INDEXES)"],
                IsMove = false,
            },
            new(
                "another table of the same shape in its place",
                [
                    $"""
                    BEGIN; ALTER TABLE {H} RENAME TO {H}_old; CREATE TABLE {H} (LIKE {H}_old INCLUDING INDEXES);
                    INSERT INTO {H} SELECT * FROM {H}_old WHERE id % 2 = 0; DROP TABLE {H}_old; COMMIT
                    """,
                ],
                []
            )
            {
                IsMove = false,
            },
            Replaced(
                "an unlogged table in its place",
                $"CREATE UNLOGGED TABLE {H} (LIKE {H}_old INCLUDING INDEXES)",
                "TABLE",
                "is unlogged"
            ) with
            {
                Refused = "table-unlogged",
                OverKafka = true,
            },
            Replaced("a view in its place", $"CREATE VIEW {H} AS SELECT * FROM {H}_old", "VIEW", "a view") with
            {
                OverKafka = true,
            },
            Replaced(
                "a materialized view in its place",
                $"CREATE MATERIALIZED VIEW {H} AS SELECT * FROM {H}_old",
                "MATERIALIZED VIEW",
                "a materialized view"
            ),
            Replaced(
                "a foreign table in its place",
                $"CREATE FOREIGN TABLE {H} (id int, points_balance float8) SERVER nowhere",
                "FOREIGN TABLE",
                "a foreign table"
            ) with
            {
                Before = ["CREATE FOREIGN DATA WRAPPER none; CREATE SERVER nowhere FOREIGN DATA WRAPPER none"],
            },
        ];

    private static IEnumerable<TableChange> OfPartitions() =>
        [
            Stopping(
                "made a partitioned table under its own name",
                $"""
                BEGIN; ALTER TABLE {H} RENAME TO {H}_old; CREATE TABLE {H} (LIKE {H}_old) PARTITION BY RANGE (id); ALTER TABLE {H} ADD PRIMARY KEY (id);
                ALTER TABLE {H} ATTACH PARTITION {H}_old DEFAULT; COMMIT
                """,
                $"BEGIN; ALTER TABLE {H} DETACH PARTITION {H}_old; DROP TABLE {H}; {RenamedBack[0]}; COMMIT",
                ("a partitioned one", "table-kind")
            ) with
            {
                OverKafka = true,
            },
            new(
                "made a partition of another table, and detached",
                [$"CREATE TABLE root (LIKE {H}) PARTITION BY RANGE (id); ALTER TABLE root ATTACH PARTITION {H} DEFAULT"],
                [$"ALTER TABLE root DETACH PARTITION {H}; DROP TABLE root"]
            ),
            new(
                "a partition that is published with its root, detached",
                [$"ALTER TABLE root DETACH PARTITION {H}"],
                [$"ALTER TABLE root ATTACH PARTITION {H} DEFAULT", $"ALTER PUBLICATION {"{p}"} DROP TABLE {H}"]
            )
            {
                Before =
                [
                    $"CREATE TABLE root (LIKE {H}) PARTITION BY RANGE (id); ALTER TABLE root ATTACH PARTITION {H} DEFAULT",
                    $"ALTER PUBLICATION {"{p}"} DROP TABLE {H}; ALTER PUBLICATION {"{p}"} ADD TABLE root",
                ],
                IsMove = false,
            },
            Stopping(
                "made a partition that is published via its root",
                $"""
                CREATE TABLE root (LIKE {H}) PARTITION BY RANGE (id); ALTER TABLE root ATTACH PARTITION {H} DEFAULT;
                ALTER PUBLICATION {"{p}"} ADD TABLE root; ALTER PUBLICATION {"{p}"} SET (publish_via_partition_root)
                """,
                $"ALTER PUBLICATION {"{p}"} SET (publish_via_partition_root = false); ALTER TABLE root DETACH PARTITION {H}; DROP TABLE root",
                ("under the name of public.root", "publication-via-root")
            ) with
            {
                AfterRemedy = [$"ALTER TABLE root DETACH PARTITION {H}; DROP TABLE root"],
            },
            new(
                "rows in a table that inherits from it",
                [
                    // A copied row has every column that another change of the history has added.
                    $"CREATE TABLE archive () INHERITS ({H}); INSERT INTO archive SELECT * FROM ONLY {H} LIMIT 1; UPDATE archive SET id = 900001",
                ],
                ["DROP TABLE archive"]
            ),
        ];

    private static IEnumerable<TableChange> OfRows() =>
        [
            new("TRUNCATE", [$"TRUNCATE {H}"], []),
            new("VACUUM FULL", [$"VACUUM FULL {H}"], []),
            new(
                "rewritten (ALTER … TYPE … USING)",
                [$"ALTER TABLE {H} ALTER points_amount TYPE double precision USING points_amount + 1"],
                []
            ),
        ];

    private static IEnumerable<TableChange> OfPublication() =>
        [
            Stopping(
                "row filter",
                $"ALTER PUBLICATION {"{p}"} SET TABLE {Others}, {H} WHERE (id > 10)",
                $"ALTER PUBLICATION {"{p}"} SET TABLE {Tables}",
                ("row filter", "publication-filter")
            ) with
            {
                OverKafka = true,
                AfterRemedy = [],
            },
            Stopping(
                "column list without a mapped column",
                $"ALTER PUBLICATION {"{p}"} SET TABLE {Others}, {H} (id, loyalty_card_id)",
                $"ALTER PUBLICATION {"{p}"} SET TABLE {Tables}",
                ("column list", "publication-columns")
            ) with
            {
                AfterRemedy = [],
            },
            new(
                "column list with every mapped column",
                [$"ALTER PUBLICATION {"{p}"} SET TABLE {Others}, {H} ({"{mapped}"})"],
                [$"ALTER PUBLICATION {"{p}"} SET TABLE {Tables}"]
            ),
            new(
                "row filter, gone at once",
                [
                    $"BEGIN; ALTER PUBLICATION {"{p}"} SET TABLE {Others}, {H} WHERE (id > 10); {Update}; ALTER PUBLICATION {"{p}"} SET TABLE {Tables}; COMMIT",
                ],
                []
            ),
            new("table taken out", [$"ALTER PUBLICATION {"{p}"} DROP TABLE {H}"], []),
            new("FOR ALL TABLES", [Anew("FOR ALL TABLES")], [Anew($"FOR TABLE {Tables}")]) { OverKafka = true },
            new("FOR TABLES IN SCHEMA", [Anew("FOR TABLES IN SCHEMA public")], [Anew($"FOR TABLE {Tables}")]),
            new("publish_via_partition_root, without partitions", ["ALTER PUBLICATION {p} SET (publish_via_partition_root)"], []),
            new(
                "an operation left out",
                ["ALTER PUBLICATION {p} SET (publish = 'insert, update')"],
                [$"ALTER PUBLICATION {"{p}"} SET ({Publish})"]
            )
            {
                Gap = "publication-partial",
                Refused = "publication-operations",
                IsMove = false,
            },
            new(
                "an operation left out, back at once",
                [$"BEGIN; ALTER PUBLICATION {"{p}"} SET (publish = 'insert'); {Update}; ALTER PUBLICATION {"{p}"} SET ({Publish}); COMMIT"],
                []
            ),
        ];

    private static IEnumerable<TableChange> OfRole() =>
        [
            Stopping(
                "SELECT revoked",
                $"REVOKE SELECT ON {H} FROM {"{r}"}",
                $"GRANT SELECT ON {H} TO {"{r}"}",
                ("may not read", "role-select")
            ) with
            {
                AsReader = true,
                AfterRemedy = [],
            },
            Stopping(
                "row security switched on",
                $"ALTER TABLE {H} ENABLE ROW LEVEL SECURITY",
                $"ALTER TABLE {H} DISABLE ROW LEVEL SECURITY",
                ("Row security", "row-security")
            ) with
            {
                AsReader = true,
                OverKafka = true,
                AfterRemedy = [$"ALTER TABLE {H} DISABLE ROW LEVEL SECURITY; ALTER ROLE {"{r}"} NOBYPASSRLS"],
            },
            Stopping(
                "table taken out, by an owner who alone may put it back",
                $"ALTER PUBLICATION {"{p}"} DROP TABLE {H}",
                $"ALTER PUBLICATION {"{p}"} ADD TABLE {H}",
                ("may not add it", "publication-tables")
            ) with
            {
                AsReader = true,
                AfterRemedy = [],
            },
            new(
                "settings of the role: time-outs, search_path, isolation, quoting",
                [
                    """
                    ALTER ROLE {r} SET statement_timeout = 50; ALTER ROLE {r} SET lock_timeout = 50; ALTER ROLE {r} SET search_path = elsewhere;
                    ALTER ROLE {r} SET default_transaction_isolation = 'serializable'; ALTER ROLE {r} SET quote_all_identifiers = on;
                    ALTER ROLE {r} SET idle_in_transaction_session_timeout = 50
                    """,
                ],
                ["ALTER ROLE {r} RESET ALL"]
            )
            {
                AsReader = true,
            },
        ];

    private const string Update = $"UPDATE {H} SET points_amount = points_amount + 3";

    /// <summary>
    /// Odoo may have written one key twice without the index, and cannot delete a row without an identity. The newest row stays: histories
    /// count versions in the balance.
    /// </summary>
    private const string OneOfEachKey = $"""
        ALTER TABLE {H} REPLICA IDENTITY FULL;
        DELETE FROM {H} a USING {H} b WHERE a.id = b.id AND (abs(a.points_balance), a.ctid) < (abs(b.points_balance), b.ctid);
        ALTER TABLE {H} REPLICA IDENTITY DEFAULT;
        """;

    private static TableChange Stopping(string name, string make, string undo, (string Reason, string Code) expected) =>
        new(name, [make], [undo]) { Stops = expected.Reason, Refused = expected.Code };

    private static TableChange Replaced(string name, string create, string what, string reason) =>
        Stopping(
            name,
            $"BEGIN; ALTER TABLE {H} RENAME TO {H}_old; {create}; COMMIT",
            $"BEGIN; DROP {what} {H}; {RenamedBack[0]}; COMMIT",
            (reason, "table-kind")
        );

    private static string Anew(string form) => $"BEGIN; DROP PUBLICATION {"{p}"}; CREATE PUBLICATION {"{p}"} {form}; COMMIT";
}
