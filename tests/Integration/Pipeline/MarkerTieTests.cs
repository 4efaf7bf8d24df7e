using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>
/// A marker's LSN is the end of its record, a commit's the start of its own: where nothing comes between the two, a chunk and the next
/// transaction have the same LSN. Then the chunk is the older one.
/// </summary>
public sealed class MarkerTieTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_chunk_at_the_very_lsn_of_the_next_commit_is_older_than_it_and_sent_again_it_is_no_gap()
    {
        // A server of its own: on a busy one something else is written between the two.
        await using var odoo = await PgCluster.StartAsync(new PgClusterOptions { Name = "tie", SharedBuffers = "32MB" }, Ct);
        await using var bed = await PipelineBed.CreateAsync(
            odoo.ConnectionString("postgres"),
            await servers.Engine.ConnectionStringAsync(),
            Ct
        );
        // Nothing is confirmed: all of it is sent again after a restart.
        bed.EngineOptions = bed.EngineOptions with
        {
            FeedbackInterval = TimeSpan.FromMinutes(5),
        };
        await bed.FillAsync(Ct, cards: 3);
        await using var markers = await HeldMarkers.SetUpAsync(bed, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);

        var tied = false;
        for (var attempt = 0; attempt < 10 && !tied; attempt++)
            tied = await CommitAtMarkerAsync(bed, markers);
        Assert.True(tied, "a commit never came right after a marker: the test does not test it");
        await bed.AssertEqualAsync(Ct);

        var again = await bed.RestartInProcessAsync();
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1 WHERE id = 3", Ct);
        await Task.WhenAny(again.Completion, bed.CaughtUpAsync(Ct));
        Assert.False(again.Completion.IsFaulted, again.Completion.Exception?.Message);
        await bed.AssertEqualAsync(Ct);
    }

    /// <summary>A chunk of all cards that does not see the transaction whose commit follows its marker; true if the two have one LSN.</summary>
    private static async Task<bool> CommitAtMarkerAsync(PipelineBed bed, HeldMarkers markers)
    {
        await using var writer = await bed.Source.DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await writer.BeginTransactionAsync(Ct);
        await using (var update = new NpgsqlCommand("UPDATE loyalty_card SET points = points + 1 WHERE id = 1", writer))
            await update.ExecuteNonQueryAsync(Ct);
        await markers.HoldAsync(HeldMarkers.Place.AfterMarker, Ct);
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        await markers.ReachedAsync(Ct);
        await transaction.CommitAsync(Ct);
        await markers.ReleaseAsync(HeldMarkers.Place.AfterMarker, Ct);
        await bed.CaughtUpAsync(Ct);
        return await bed.Engine.ScalarAsync<bool>(
            """
            SELECT written.source_lsn = read.source_lsn AND written.source_ordinal >= 0 AND read.source_ordinal < 0
            FROM loyalty_cards written, loyalty_cards read WHERE written.id = 1 AND read.id = 2
            """,
            Ct
        );
    }
}
