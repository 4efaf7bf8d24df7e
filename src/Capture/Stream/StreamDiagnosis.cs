using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Stream;

/// <summary>
/// Why a stream could not be started, or ended. The server reports a missing slot and a missing publication by the same SQLSTATE, and WAL
/// that is gone in several ways: so the catalog is asked, not the error.
/// </summary>
internal static class StreamDiagnosis
{
    /// <returns>
    /// A <see cref="DeclaredGapException"/>, or a <see cref="CdcException"/> that is <see cref="FailureKind.Unavailable"/> when waiting
    /// helps; null if the exception has nothing to do with the source.
    /// </returns>
    public static async Task<CdcException?> ExplainAsync(SourceOptions options, Exception exception, CancellationToken ct)
    {
        if (SourceFailure.Of(exception) is not { } failure)
            return null;
        if (exception is not PostgresException answer || SqlStates.IsOfSession(answer.SqlState))
            return failure.ToException(exception);
        try
        {
            await using var connection = await SourceConnection.OpenAsync(options, ct);
            return await FromCatalogAsync(connection, options, exception, ct) ?? failure.ToException(exception);
        }
        catch (NpgsqlException e) when (SourceFailure.Of(e) is { } second)
        {
            return second.ToException(e);
        }
    }

    private static async Task<CdcException?> FromCatalogAsync(
        NpgsqlConnection connection,
        SourceOptions options,
        Exception exception,
        CancellationToken ct
    )
    {
        var slot = await SlotSetup.ReadAsync(connection, options.SlotName, ct);
        if (slot is null)
            return new DeclaredGapException(
                GapKinds.SlotMissing,
                $"Slot {options.SlotName} does not exist on the source: changes since the last feedback are lost.",
                "cdc slot reset"
            );
        if (slot.IsLost)
            return new DeclaredGapException(GapKinds.SlotLost, $"Slot {slot.Name} is {slot.Loss}", "cdc slot reset");
        var hasPublication = await connection
            .Statement("SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = $1)", options.Publication)
            .ScalarAsync<bool>(ct);
        if (!hasPublication)
            return new DeclaredGapException(
                GapKinds.PublicationMissing,
                $"Publication {options.Publication} does not exist on the source: changes since it was dropped cannot be decoded.",
                "cdc slot reset"
            );
        if (exception is PostgresException { SqlState: PostgresErrorCodes.UndefinedObject })
            // It exists now, and slot too: so it did not exist when something was changed that is to be decoded. That stays so for this
            // slot.
            return new DeclaredGapException(
                GapKinds.PublicationRecreated,
                $"Publication {options.Publication} was dropped and created again: what was changed between cannot be decoded.",
                "cdc slot reset"
            );
        if (slot.IsActive)
            return new CdcException(
                FailureKind.Unavailable,
                $"Slot {slot.Name} is in use by process {slot.ActivePid} of the source.",
                "Nothing to do where another capture is running: this one takes over when it ends.",
                exception
            );
        return exception is PostgresException refused && IsOfFilter(refused.SqlState)
            ? await OfFilterAsync(connection, options.Publication, refused, ct)
            : null;
    }

    /// <summary>
    /// What refuses a value while decoding is an expression: a publication's row filter. Not so where the value cannot be sent in our
    /// encoding.
    /// </summary>
    private static bool IsOfFilter(string sqlState) =>
        SqlStates.IsOfRow(sqlState)
        && sqlState is not (PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter);

    /// <summary>
    /// The server decodes each change by the publication as it was then: without its filter the slot stands still at the same change. It is
    /// no gap by itself, since a filter may also fail for something that passes.
    /// </summary>
    private static async Task<CdcException> OfFilterAsync(
        NpgsqlConnection connection,
        string publication,
        PostgresException refused,
        CancellationToken ct
    )
    {
        var tables = await connection
            .Statement(
                """
                SELECT format('%I.%I', t.schemaname, t.tablename) FROM pg_publication_tables t
                WHERE t.pubname = $1 AND to_jsonb(t) ->> 'rowfilter' IS NOT NULL ORDER BY 1
                """,
                publication
            )
            .RowsAsync(row => row.GetString(0), ct);
        var name = Sql.Identifier(publication);
        return new CdcException(
            FailureKind.Preflight,
            $"The source fails while it decodes a change ({refused.SqlState}: {refused.MessageText}): a row filter of publication {publication} "
                + (tables.Count > 0 ? $"({string.Join(", ", tables)})" : "of that time")
                + " does. Nothing comes any more, of any table.",
            string.Concat(tables.Select(t => $"ALTER PUBLICATION {name} DROP TABLE {t}; ALTER PUBLICATION {name} ADD TABLE {t}; "))
                + "then 'cdc slot reset': the slot cannot pass that change, and everything is read again (ops/runbooks/slot-reset.md).",
            refused
        );
    }
}
