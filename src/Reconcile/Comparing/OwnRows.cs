using Cdc.Core.Entities;
using Cdc.Engine.Ownership;
using Npgsql;

namespace Cdc.Reconcile.Comparing;

/// <summary>Of a slice, the rows that the engine has changed of its own accord: how many, and what of them nothing explains.</summary>
internal sealed record OwnRows(OwnNumbers Numbers, IReadOnlyList<DriftRecord> Drift)
{
    /// <summary>Rows that are counted, but not listed.</summary>
    public long Unlisted => Numbers.Unexplained - Drift.Select(d => d.Key).Distinct().Count();

    /// <param name="most">Of unexplained rows so many are listed.</param>
    public static async Task<OwnRows> ReadAsync(
        NpgsqlConnection engine,
        EntityDeclaration entity,
        IReadOnlyList<KeySpan> spans,
        long[] leaveOut,
        int most,
        CancellationToken ct
    )
    {
        (long[] Low, long[] High) bounds = ([.. spans.Select(s => s.Low)], [.. spans.Select(s => s.High)]);
        var (pending, explained, unexplained) = await OwnValues.CountAsync(engine, entity, bounds, leaveOut, ct);
        var values = unexplained == 0 ? [] : await OwnValues.UnexplainedAsync(engine, entity, bounds, leaveOut, most, ct);
        return new OwnRows(
            new OwnNumbers(pending, explained, unexplained),
            [
                .. values.Select(v => new DriftRecord(
                    entity.Name,
                    v.Key,
                    DriftKind.Unexplained,
                    DriftRecord.Own + v.Column,
                    v.Explained,
                    v.Own
                )),
            ]
        );
    }
}
