using Cdc.Core.Entities;
using Cdc.Tests.Support.Equality;
using Cdc.Tests.Support.Pipeline;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>What tests of whole tables look at.</summary>
internal static class TablesBed
{
    /// <summary>A few rows in every table.</summary>
    public static Task FillAsync(this PipelineBed bed, CancellationToken ct, int cards = 50) =>
        bed.Source.ExecuteAsync(
            $"""
            INSERT INTO loyalty_program (id, name) VALUES (1, 'p');
            INSERT INTO loyalty_card (id, program_id, company_id, code, points) SELECT i, 1, i % 3, 'c' || i, i FROM generate_series(1, {cards}) i;
            INSERT INTO loyalty_point_move (id, loyalty_card_id, initial_point, remaining_point, state) SELECT i, i, i, i, 'active' FROM generate_series(1, {cards}) i;
            INSERT INTO loyalty_point_history (id, loyalty_card_id, point_move_id, points_amount, points_balance) SELECT i, i, i, i, i FROM generate_series(1, {cards}) i;
            """,
            ct
        );

    /// <summary>Waits until the table has stopped; returns the reason that <c>cdc status</c> shows.</summary>
    public static async Task<string> StoppedAsync(this PipelineBed bed, string entity, CancellationToken ct)
    {
        await Eventually.True(
            $"{entity} has stopped",
            async () => await StateAsync(bed, entity, ct) == "stopped",
            () => StateAsync(bed, entity, ct),
            ct: ct
        );
        var status = await bed.StatusAsync(entity, ct);
        Assert.Equal("stopped", status.GetProperty("state").GetString());
        return status.GetProperty("reason").GetString()!;
    }

    /// <summary>Everything is streaming and equal, without a request for it.</summary>
    public static async Task EqualByItselfAsync(this PipelineBed bed, CancellationToken ct)
    {
        var report = "";
        await Eventually.True(
            "every table is streaming and equal",
            async () =>
            {
                await bed.CaughtUpAsync(ct);
                if (await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.tables WHERE state <> 'streaming'", ct) > 0)
                    return false;
                var compared = await bed.CompareAsync(ct);
                report = compared.ToString();
                return compared.AreEqual;
            },
            async () => $"{string.Join("; ", await bed.Engine.RowsAsync("SELECT entity, state, reason FROM cdc.tables", ct))} {report}",
            ct: ct
        );
    }

    /// <summary>All entities but one are equal.</summary>
    public static async Task OthersEqualAsync(this PipelineBed bed, string entity, CancellationToken ct)
    {
        await bed.CaughtUpAsync(ct);
        var others = new EntitySet([.. bed.Entities.All.Where(e => e.Name != entity)]);
        var report = await new EqualityCheck(others).CompareAsync(bed.Source.DataSource, bed.Engine.DataSource, ct);
        Assert.True(report.AreEqual, report.ToString());
    }

    /// <summary>Number of times that a chunk of the table was read to its end.</summary>
    public static Task<long> ReadingsAsync(this PipelineBed bed, string entity, CancellationToken ct) =>
        bed.Engine.ScalarAsync<long>($"SELECT count(*) FROM cdc.chunks WHERE entity = '{entity}' AND state = 'done'", ct);

    private static async Task<string> StateAsync(PipelineBed bed, string entity, CancellationToken ct) =>
        await bed.Engine.ScalarAsync<string>($"SELECT state FROM cdc.tables WHERE entity = '{entity}'", ct) ?? "";
}
