using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Api.Security;

/// <summary>cdc.api_keys. Every change is announced, so that it acts at once wherever keys are in use.</summary>
public static class KeyTable
{
    public const string Channel = "cdc_keys";

    private const string Columns = "id, name, scopes, requests_per_second, created_at, created_by, revoked_at, secret_hash";

    /// <returns>The key's text, which is nowhere else, and the key as it is kept.</returns>
    public static async Task<(string Text, ApiKey Key)> CreateAsync(
        NpgsqlConnection connection,
        string name,
        IReadOnlyList<string> scopes,
        int? requestsPerSecond,
        CancellationToken ct
    )
    {
        var text = ApiKeyText.Create();
        var added = await connection
            .Statement(
                $"""
                WITH added AS (INSERT INTO cdc.api_keys (id, name, secret_hash, scopes, requests_per_second) VALUES ($1, $2, $3, $4, $5) RETURNING {Columns})
                SELECT {Columns}, pg_notify('{Channel}', '') FROM added
                """,
                text.Id,
                name,
                text.Hash(),
                scopes.ToArray(),
                requestsPerSecond
            )
            .RowsAsync(Read, ct);
        return (text.ToString(), added.Single());
    }

    /// <summary>Oldest first, including revoked keys.</summary>
    public static async Task<IReadOnlyList<ApiKey>> ListAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.Statement($"SELECT {Columns} FROM cdc.api_keys ORDER BY created_at, id").RowsAsync(Read, ct);

    /// <summary>The same, also of an engine that <c>cdc migrate</c> has not reached yet: no key was ever made in it.</summary>
    public static async Task<IReadOnlyList<ApiKey>> AllAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await connection.Statement("SELECT to_regclass('cdc.api_keys') IS NOT NULL").ScalarAsync<bool>(ct)
            ? await ListAsync(connection, ct)
            : [];

    /// <param name="idOrName">A name may be that of several keys.</param>
    /// <returns>How many were revoked now.</returns>
    public static Task<int> RevokeAsync(NpgsqlConnection connection, string idOrName, CancellationToken ct) =>
        connection
            .Statement(
                $"""
                WITH revoked AS (UPDATE cdc.api_keys SET revoked_at = now() WHERE (id = $1 OR name = $1) AND revoked_at IS NULL RETURNING id)
                SELECT (SELECT count(*) FROM revoked)::integer, pg_notify('{Channel}', '')
                """,
                idOrName
            )
            .ScalarAsync<int>(ct);

    private static ApiKey Read(NpgsqlDataReader row) =>
        new(
            row.GetString(0),
            row.GetString(1),
            row.GetFieldValue<string[]>(2),
            row.IsDBNull(3) ? null : row.GetInt32(3),
            row.GetFieldValue<DateTimeOffset>(4),
            row.GetString(5),
            row.IsDBNull(6) ? null : row.GetFieldValue<DateTimeOffset>(6)
        )
        {
            SecretHash = row.GetFieldValue<byte[]>(7),
        };
}
