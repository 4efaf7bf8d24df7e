using System.Net.Sockets;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Schemas;
using Npgsql;

namespace Cdc.Log.Registry;

/// <summary>The built-in registry: cdc.schemas, cdc.schema_versions and cdc.schema_compatibility in the engine.</summary>
/// <param name="engine">Its role may select from and insert into these tables.</param>
public sealed class RegistryTable(NpgsqlDataSource engine) : ISchemaRegistry
{
    /// <summary>Of all registrations at once: each sees what those before it have added.</summary>
    private const string LockSql = "SELECT pg_advisory_xact_lock(hashtextextended('cdc.schema_versions', 0))";

    private const string VersionsSql =
        "SELECT v.subject, v.version, s.id, s.schema FROM cdc.schema_versions v JOIN cdc.schemas s ON s.id = v.schema_id";

    /// <summary>
    /// A schema's guid is made of its text (<see cref="RegisteredSchema.Guid"/>), and there are few schemas: nothing keeps it.
    /// </summary>
    private const string GuidSql =
        "SELECT schema FROM cdc.schemas WHERE substr(encode(sha256(convert_to(schema, 'UTF8')), 'hex'), 1, 32)::uuid = $1";

    private const string LevelSql = "SELECT level FROM cdc.schema_compatibility WHERE subject = $1";

    public Task<IReadOnlyList<string>> SubjectsAsync(CancellationToken ct) =>
        UseAsync<IReadOnlyList<string>>(
            async connection =>
                await connection
                    .Statement("SELECT DISTINCT subject COLLATE \"C\" FROM cdc.schema_versions ORDER BY 1")
                    .RowsAsync(row => row.GetString(0), ct),
            ct
        );

    public Task<IReadOnlyList<RegisteredSchema>> AllAsync(string subjectPrefix, CancellationToken ct) =>
        UseAsync<IReadOnlyList<RegisteredSchema>>(
            async connection =>
                await connection
                    .Statement(VersionsSql + " WHERE starts_with(v.subject, $1) ORDER BY v.subject COLLATE \"C\", v.version", subjectPrefix)
                    .RowsAsync(Read, ct),
            ct
        );

    public async Task<IReadOnlyList<RegisteredSchema>> VersionsAsync(string subject, CancellationToken ct)
    {
        var versions = await UseAsync(connection => VersionsAsync(connection, subject, ct), ct);
        return versions.Count > 0 ? versions : throw SchemaRegistryException.NoSubject(subject);
    }

    public Task<string?> FindAsync(int id, CancellationToken ct) =>
        UseAsync(connection => connection.Statement("SELECT schema FROM cdc.schemas WHERE id = $1", id).ScalarAsync<string?>(ct), ct);

    public Task<string?> FindAsync(Guid guid, CancellationToken ct) =>
        UseAsync(connection => connection.Statement(GuidSql, guid).ScalarAsync<string?>(ct), ct);

    public Task<int> HighestIdAsync(CancellationToken ct) =>
        UseAsync(connection => connection.Statement("SELECT coalesce(max(id), 0) FROM cdc.schemas").ScalarAsync<int>(ct), ct);

    public Task<IReadOnlyList<RegisteredSchema>> UsesAsync(int id, CancellationToken ct) =>
        UseAsync<IReadOnlyList<RegisteredSchema>>(
            async connection =>
                await connection
                    .Statement(VersionsSql + " WHERE s.id = $1 ORDER BY v.subject COLLATE \"C\", v.version", id)
                    .RowsAsync(Read, ct),
            ct
        );

    public Task<RegisteredSchema> RegisterAsync(string subject, string schema, bool asWritten, CancellationToken ct)
    {
        var normal = SchemaText.Normal(schema);
        return UseAsync(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await connection.Statement(LockSql).ExecuteAsync(ct);
                var versions = await VersionsAsync(connection, subject, ct);
                if (Find(versions, normal, asWritten) is { } there)
                    return there;
                // Another subject may have it in another order.
                if (!asWritten && await SameAsync(connection, normal, ct) is { } same)
                    normal = same;
                var problems = Compatibility.Problems(await EffectiveLevelAsync(connection, subject, ct), normal, versions);
                if (problems.Count > 0)
                    throw new SchemaRegistryException(
                        SchemaRegistryException.Incompatible,
                        $"Schema being registered is incompatible with an earlier schema for subject \"{subject}\": "
                            + $"{string.Join("; ", problems)}"
                    );
                var added = new RegisteredSchema(subject, versions.Count + 1, await IdOfAsync(connection, normal, ct), normal);
                await InsertAsync(connection, added, ct);
                await transaction.CommitAsync(ct);
                return added;
            },
            ct
        );
    }

    public async Task<RegisteredSchema?> LookupAsync(string subject, string schema, CancellationToken ct)
    {
        var normal = SchemaText.Normal(schema);
        return Find(await VersionsAsync(subject, ct), normal, asWritten: false);
    }

    public Task<IReadOnlyList<string>> ProblemsAsync(string subject, string schema, int? version, CancellationToken ct)
    {
        var normal = SchemaText.Normal(schema);
        return UseAsync(
            async connection =>
            {
                var level = await EffectiveLevelAsync(connection, subject, ct);
                var versions = await VersionsAsync(connection, subject, ct);
                if (version is { } one)
                    versions = [versions.FirstOrDefault(v => v.Version == one) ?? throw SchemaRegistryException.NoVersion($"{one}")];
                return Compatibility.Problems(level, normal, versions);
            },
            ct
        );
    }

    public Task<CompatibilityLevel?> CompatibilityAsync(string? subject, CancellationToken ct) =>
        UseAsync(connection => LevelAsync(connection, subject ?? "", ct), ct);

    public Task SetCompatibilityAsync(string? subject, CompatibilityLevel level, CancellationToken ct) =>
        UseAsync(
            connection =>
                connection
                    .Statement(
                        "INSERT INTO cdc.schema_compatibility (subject, level) VALUES ($1, $2) ON CONFLICT (subject) DO UPDATE SET level = excluded.level",
                        subject ?? "",
                        CompatibilityWords.Of(level)
                    )
                    .ExecuteAsync(ct),
            ct
        );

    private static async Task<CompatibilityLevel?> LevelAsync(NpgsqlConnection connection, string subject, CancellationToken ct) =>
        CompatibilityWords.Parse(await connection.Statement(LevelSql, subject).ScalarAsync<string?>(ct));

    private static async Task<CompatibilityLevel> EffectiveLevelAsync(NpgsqlConnection connection, string subject, CancellationToken ct) =>
        await LevelAsync(connection, subject, ct) ?? await LevelAsync(connection, "", ct) ?? CompatibilityLevel.Backward;

    private static async Task<IReadOnlyList<RegisteredSchema>> VersionsAsync(
        NpgsqlConnection connection,
        string subject,
        CancellationToken ct
    ) => await connection.Statement(VersionsSql + " WHERE v.subject = $1 ORDER BY v.version", subject).RowsAsync(Read, ct);

    private static RegisteredSchema Read(NpgsqlDataReader row) => new(row.GetString(0), row.GetInt32(1), row.GetInt32(2), row.GetString(3));

    /// <summary>The version with this text, or else the first that says the same.</summary>
    private static RegisteredSchema? Find(IReadOnlyList<RegisteredSchema> versions, string normal, bool asWritten)
    {
        var exact = versions.FirstOrDefault(v => v.Schema == normal);
        if (exact is not null || asWritten)
            return exact;
        var form = SchemaForm.Of(normal);
        return versions.FirstOrDefault(v => SchemaForm.Of(v.Schema) == form);
    }

    /// <summary>A text that is there and says the same; null: there is none, or this one is there itself.</summary>
    private static async Task<string?> SameAsync(NpgsqlConnection connection, string normal, CancellationToken ct)
    {
        await using var command = connection.Statement("SELECT schema FROM cdc.schemas ORDER BY created_at, id");
        await using var row = await command.ExecuteReaderAsync(ct);
        var (form, same) = (SchemaForm.Of(normal), (string?)null);
        while (await row.ReadAsync(ct))
        {
            var text = row.GetString(0);
            if (text == normal)
                return null;
            if (same is null && SchemaForm.Of(text) == form)
                same = text;
        }
        return same;
    }

    /// <summary>The id that the text has, or is given now.</summary>
    private static async Task<int> IdOfAsync(NpgsqlConnection connection, string normal, CancellationToken ct)
    {
        foreach (var id in SchemaText.Ids(normal))
        {
            var there = connection.Statement(
                "WITH added AS (INSERT INTO cdc.schemas (id, schema) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM cdc.schemas WHERE id = $1) RETURNING schema) SELECT schema FROM added UNION ALL SELECT schema FROM cdc.schemas WHERE id = $1",
                id,
                normal
            );
            if (await there.ScalarAsync<string>(ct) == normal)
                return id;
        }
        throw new InvalidOperationException("Every id is taken.");
    }

    private static Task<int> InsertAsync(NpgsqlConnection connection, RegisteredSchema added, CancellationToken ct) =>
        connection
            .Statement(
                "INSERT INTO cdc.schema_versions (subject, version, schema_id) VALUES ($1, $2, $3)",
                added.Subject,
                added.Version,
                added.Id
            )
            .ExecuteAsync(ct);

    private async Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken ct)
    {
        try
        {
            await using var connection = await engine.OpenConnectionAsync(ct);
            return await use(connection);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            throw new CdcException(FailureKind.Migration, "The engine has no schema registry.", "cdc migrate", e);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new CdcException(
                FailureKind.Preflight,
                $"The engine refuses the schema registry: {e.MessageText}.",
                "Grant it as 'cdc grants engine' prints it.",
                e
            );
        }
        catch (Exception e) when (e is NpgsqlException or IOException or SocketException or TimeoutException)
        {
            throw new CdcException(
                FailureKind.Unavailable,
                $"The engine, which keeps the schema registry, cannot be asked: {e.Message}",
                "Start the engine, or correct Engine:ConnectionString.",
                e
            );
        }
    }
}
