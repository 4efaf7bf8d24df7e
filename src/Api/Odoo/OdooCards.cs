using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Expressions.Rows;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Api.Odoo;

/// <summary>A card as Odoo has it, in the values that the engine would have.</summary>
/// <param name="At">By Odoo's clock: everything committed until then is in it.</param>
/// <param name="Written">Of Odoo's WAL: all that it shows lies before.</param>
/// <param name="Version">Of the row: whoever writes it makes another.</param>
internal sealed record OdooCard(
    long Id,
    string Code,
    string? Points,
    long? ProgramId,
    long? PartnerId,
    long? CompanyId,
    bool? Active,
    DateOnly? LastDay,
    DateTimeOffset? CreatedAt,
    DateTimeOffset? UpdatedAt,
    DateTimeOffset At,
    Lsn Written,
    string Version
);

/// <summary>
/// Cards from Odoo's own tables, by the declaration's own expressions: an answer of either side has the same form. A code is looked up as it
/// was written and in its normalised form, as Odoo's index allows it.
/// </summary>
internal sealed class OdooCards(OdooReads reads, ServedCards served, DeclaredLookup lookup, TimeProvider time, ILogger log)
{
    /// <summary>A server that answers now and then would fill the log.</summary>
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);

    private readonly EntityDeclaration _card = served.Card;
    private long? _saidAt;

    /// <summary>False: points are no column of Odoo's card here, or cards have no id.</summary>
    public bool IsPossible => _card.HasId && served.Sum is null;

    /// <summary>Null: none, or several of which none has the code as it was written.</summary>
    /// <exception cref="OdooUnavailableException"/>
    public async Task<OdooCard?> ByCodeAsync(AskedCode code, CancellationToken ct)
    {
        var found = await ReadAsync(
            $"{Sql.Identifier(lookup.SourceColumn.Name)} = ANY ($1::text[])",
            new[] { code.Written, code.Lookup }.Distinct().ToArray(),
            ct
        );
        return found.Count == 1 ? found[0] : found.FirstOrDefault(c => c.Code == code.Written);
    }

    /// <exception cref="OdooUnavailableException"/>
    public async Task<OdooCard?> ByIdAsync(long id, CancellationToken ct) =>
        (await ReadAsync($"{Sql.Identifier(_card.Key.Name)} = $1::bigint", id, ct)).FirstOrDefault();

    /// <summary>With a position in Odoo's WAL behind which everything lies that the answer shows.</summary>
    /// <exception cref="OdooUnavailableException"/>
    public Task<(OdooCard? Card, Lsn Written)> WithPositionAsync(long id, CancellationToken ct) =>
        UseAsync(
            async connection =>
            {
                var cards = await connection.Statement(Select($"{Sql.Identifier(_card.Key.Name)} = $1::bigint"), id).RowsAsync(Read, ct);
                var written = await connection
                    .Statement("SELECT pg_current_wal_insert_lsn()")
                    .RowsAsync(row => new Lsn((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(0)), ct);
                return (cards.FirstOrDefault(), written[0]);
            },
            ct
        );

    private Task<List<OdooCard>> ReadAsync(string where, object value, CancellationToken ct) =>
        UseAsync(connection => connection.Statement(Select(where), value).RowsAsync(Read, ct), ct);

    /// <summary>The engine answers instead, so nobody would ask why.</summary>
    private async Task<T> UseAsync<T>(Func<NpgsqlConnection, Task<T>> use, CancellationToken ct)
    {
        try
        {
            return await reads.UseAsync(use, ct);
        }
        catch (OdooUnavailableException e) when (e.InnerException is { } failure)
        {
            // Two at once may both say it.
            if (_saidAt is not { } said || time.GetElapsedTime(said) >= BetweenLines)
            {
                _saidAt = time.GetTimestamp();
                log.OdooLost(Cause(failure));
            }
            throw;
        }
    }

    private static string Cause(Exception failure) =>
        // Such a message has the value: a customer's.
        failure is PostgresException { SqlState: var state }
        && SqlStates.IsOfRow(state)
            ? $"it refused a value ({state})."
        : ServerFailure.Of(Server.Source, failure) is not { } known ? failure.GetType().Name
        : known.IsRetriable ? known.Message
        : $"{known.Message} {known.Remedy}";

    private string Select(string where) =>
        $"""
            SELECT {Sql.Identifier(_card.Key.Name)}::bigint, {Part("code", "text")}, {Part("points", "text")}, {Part(
                "program",
                "bigint"
            )}, {Part("partner", "bigint")}, {Part("company", "bigint")}, {Part("active", "boolean")}, {RepresentableTime.OfDay(
                Part("expires", "date")
            )}, {RepresentableTime.Of(Part("created", "timestamptz"))}, {RepresentableTime.Of(Part("updated", "timestamptz"))}, now(),
                   pg_current_wal_insert_lsn(), xmin::text
            FROM {_card.SourceRows} WHERE {where} ORDER BY 1 LIMIT 100
            """;

    private string Part(string part, string type) =>
        served.Card.ServedColumn(part) is { } name && _card.Columns.First(c => c.Name == name) is var column
            ? $"(({column.Value})::{column.Type})::{type}"
            : $"NULL::{type}";

    private static OdooCard Read(NpgsqlDataReader row) =>
        new(
            row.GetInt64(0),
            row.IsDBNull(1) ? "" : row.GetString(1),
            row.IsDBNull(2) ? null : row.GetString(2),
            Number(row, 3),
            Number(row, 4),
            Number(row, 5),
            row.IsDBNull(6) ? null : row.GetBoolean(6),
            row.IsDBNull(7) ? null : row.GetFieldValue<DateOnly>(7),
            row.IsDBNull(8) ? null : row.GetFieldValue<DateTimeOffset>(8),
            row.IsDBNull(9) ? null : row.GetFieldValue<DateTimeOffset>(9),
            row.GetFieldValue<DateTimeOffset>(10),
            new Lsn((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(11)),
            row.GetString(12)
        );

    private static long? Number(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
