using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>A change that Odoo made to what the engine owns.</summary>
/// <param name="Key">The row's, in the engine.</param>
/// <param name="Kind">changed, altered, deleted or number.</param>
/// <param name="Field">The engine's column; *: the row.</param>
/// <param name="OdooValue">As JSON, as the two following.</param>
/// <param name="BaseValue">What Odoo had before.</param>
/// <param name="Settlement">accepted or kept; null: nobody has settled it.</param>
public sealed record Conflict(
    long Id,
    string Entity,
    long Key,
    long? Card,
    string Kind,
    string Field,
    string? OdooValue,
    string? EngineValue,
    string? BaseValue,
    DateTime SeenAt,
    string? Settlement,
    string? SettledBy,
    DateTime? SettledAt
);

/// <summary>cdc.conflicts, as a person settles them. Those who apply write them.</summary>
public static class ConflictTable
{
    private const string Columns =
        "conflict, entity, key, card, kind, field, odoo_value::text, engine_value::text, base_value::text, seen_at, settlement, settled_by, settled_at";

    private const string ListSql = $"SELECT {Columns} FROM cdc.conflicts WHERE $1 OR settled_at IS NULL ORDER BY conflict DESC LIMIT $2";

    private const string OpenSql =
        "SELECT k, (SELECT count(*) FROM cdc.conflicts c WHERE c.kind = k AND c.settled_at IS NULL) FROM unnest(ARRAY['changed', 'altered', 'deleted', 'number']) k";

    private const string FindSql = $"SELECT {Columns} FROM cdc.conflicts WHERE conflict = ANY ($1) ORDER BY conflict FOR UPDATE";

    private const string NewerSql = """
        SELECT max(conflict) FROM cdc.conflicts WHERE entity = $1 AND key = $2 AND field = $3 AND conflict > $4 AND settled_at IS NULL
        """;

    /// <summary>With those before it of the same value: they are of what it took the place of.</summary>
    private const string SettleSql = """
        UPDATE cdc.conflicts c SET settled_at = clock_timestamp(), settled_by = session_user, settlement = $2
        FROM cdc.conflicts s WHERE s.conflict = ANY ($1) AND c.entity = s.entity AND c.key = s.key AND c.field = s.field
            AND c.conflict <= s.conflict AND c.settled_at IS NULL
        """;

    /// <summary>How many of each kind nobody has settled.</summary>
    public static Task<List<(string Kind, long Count)>> OpenAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement(OpenSql).RowsAsync(row => (row.GetString(0), row.GetInt64(1)), ct);

    /// <summary>The newest first.</summary>
    public static Task<List<Conflict>> ListAsync(NpgsqlConnection connection, bool settled, int most, CancellationToken ct) =>
        connection.Statement(ListSql, settled, most).RowsAsync(Read, ct);

    /// <summary>Null: there is none.</summary>
    public static async Task<Conflict?> FindAsync(NpgsqlConnection connection, long id, CancellationToken ct) =>
        (await connection.Statement($"SELECT {Columns} FROM cdc.conflicts WHERE conflict = $1", id).RowsAsync(Read, ct)).FirstOrDefault();

    /// <summary>The engine's values stay, and nobody is asked again.</summary>
    /// <returns>How many were settled, with older ones of the same values.</returns>
    /// <exception cref="CdcException">Usage: one of them is not there, or settled.</exception>
    public static async Task<int> KeepAsync(NpgsqlConnection connection, IReadOnlyList<long> conflicts, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await UnsettledAsync(connection, conflicts, ct);
        var settled = await connection.Statement(SettleSql, conflicts.ToArray(), "kept").ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
        return settled;
    }

    /// <summary>Odoo's value is written into the engine, as any program of the engine's would write it.</summary>
    /// <exception cref="CdcException">Usage: it is not there, settled, or there is a newer one. Refused: there is no value to take, or the
    /// engine does not own the card any more.</exception>
    public static async Task<Conflict> AcceptAsync(NpgsqlConnection connection, EntitySet entities, long id, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var conflict = (await UnsettledAsync(connection, [id], ct))[0];
        if (
            (
                await connection
                    .Statement(NewerSql, conflict.Entity, conflict.Key, conflict.Field, id)
                    .RowsAsync(r => r.IsDBNull(0) ? null : (long?)r.GetInt64(0), ct)
            )[0] is
            { } newer
        )
            throw new CdcException(
                FailureKind.Usage,
                Text($"Odoo has changed {conflict.Field} of {conflict.Entity} {conflict.Key} once more since conflict {id}."),
                Text($"Look at the newer one: cdc conflicts show {newer}")
            );
        var (entity, column) = Column(entities, conflict);
        try
        {
            var written = await connection
                .Statement(
                    $"UPDATE {entity.EngineName} SET {Sql.Identifier(column.Name)} = ($1::jsonb #>> '{{}}')::{column.Type} WHERE {Sql.Identifier(entity.EngineKey)} = $2",
                    conflict.OdooValue ?? "null",
                    conflict.Key
                )
                .ExecuteAsync(ct);
            if (written == 0)
                throw new CdcException(
                    FailureKind.Refused,
                    Text($"{conflict.Entity} {conflict.Key} is not in the engine any more. Nothing was changed."),
                    Text($"cdc conflicts keep {id}")
                );
        }
        // What watches own changes does not let it through.
        catch (PostgresException refused) when (refused.SqlState.StartsWith("OC", StringComparison.Ordinal))
        {
            throw new CdcException(
                FailureKind.Refused,
                $"{refused.MessageText}. Nothing was changed.",
                refused.Hint ?? Text($"cdc conflicts keep {id}"),
                refused
            );
        }
        await connection.Statement(SettleSql, new[] { id }, "accepted").ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
        return conflict;
    }

    private static (EntityDeclaration, EngineColumn) Column(EntitySet entities, Conflict conflict)
    {
        if (conflict.Kind is "deleted" or "number" || conflict.Field == "*")
            throw new CdcException(
                FailureKind.Refused,
                Text($"Conflict {conflict.Id} ({conflict.Kind}) is of the whole {conflict.Entity}: there is no value of Odoo's to take."),
                conflict.Kind == "deleted"
                    ? Text($"If the card may stay without Odoo's: cdc conflicts keep {conflict.Id}. Its own changes do not reach Odoo.")
                    : Text(
                        $"Compare the card with Odoo's first; then: cdc reverse retry {conflict.Card}, and cdc conflicts keep {conflict.Id}"
                    )
            );
        if (
            entities.Find(conflict.Entity) is not { Reverse: { } reverse } entity
            || entity.Columns.FirstOrDefault(c => c.Name == conflict.Field) is not { } column
        )
            throw new CdcException(
                FailureKind.Refused,
                $"{conflict.Field} of {conflict.Entity} does not flow back to Odoo by the declaration of now.",
                Text($"cdc conflicts keep {conflict.Id}")
            );
        if (reverse.Merged.Contains(conflict.Field))
            throw new CdcException(
                FailureKind.Refused,
                $"{conflict.Field} of {conflict.Entity} is added to by both sides: Odoo's value has no own changes in it that are on their way.",
                Text(
                    $"Write the difference in the engine (UPDATE … SET {conflict.Field} = {conflict.Field} + …), then: cdc conflicts keep {conflict.Id}"
                )
            );
        return (entity, column);
    }

    private static async Task<List<Conflict>> UnsettledAsync(NpgsqlConnection connection, IReadOnlyList<long> ids, CancellationToken ct)
    {
        var found = await connection.Statement(FindSql, ids.ToArray()).RowsAsync(Read, ct);
        foreach (var id in ids)
            if (found.FirstOrDefault(c => c.Id == id) is not { } conflict)
                throw new CdcException(
                    FailureKind.Usage,
                    Text($"There is no conflict {id}. Nothing was changed."),
                    "See 'cdc conflicts list --settled'."
                );
            else if (conflict.Settlement is { } settlement)
                throw new CdcException(
                    FailureKind.Usage,
                    Text($"Conflict {id} was settled before ({settlement} by {conflict.SettledBy}). Nothing was changed."),
                    "See 'cdc conflicts list'."
                );
        return found;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static Conflict Read(NpgsqlDataReader row) =>
        new(
            row.GetInt64(0),
            row.GetString(1),
            row.GetInt64(2),
            row.IsDBNull(3) ? null : row.GetInt64(3),
            row.GetString(4),
            row.GetString(5),
            Nullable(row, 6),
            Nullable(row, 7),
            Nullable(row, 8),
            row.GetDateTime(9),
            Nullable(row, 10),
            Nullable(row, 11),
            row.IsDBNull(12) ? null : row.GetDateTime(12)
        );

    private static string? Nullable(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
