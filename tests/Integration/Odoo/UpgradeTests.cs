using Cdc.Engine.Migrations;
using Cdc.Engine.Requests;
using Cdc.Engine.Tables;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Cdc.Workload.Plan;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>Odoo's upgrade day, as ops/runbooks/odoo-upgrade.md has it.</summary>
public sealed class UpgradeTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_upgrade_in_place_from_16_to_20_loses_nothing_and_changes_no_table_of_the_engine()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, OdooVersion.Odoo16, Ct);
        await WorkAsync(bed, OdooVersion.Odoo16, InitialRows.Shop(200));
        bed.StartInProcess();
        await EqualAsync(bed);
        for (var version = OdooVersion.Odoo17; version <= OdooVersion.Odoo20; version++)
        {
            // While cdc runs: columns with defaults are an UPDATE of every row, and half an upgrade is visible.
            await bed.Source.ExecuteAsync(OdooSchema.Upgrade(version), Ct);
            await bed.CaughtUpAsync(Ct);
            await bed.StopInProcessAsync();
            bed.Entities = EntityFile.Load(version.Preset()!);
            await DeclaredAggregate.EnsureAsync(bed.Engine.DataSource, bed.Entities, Ct);
            bed.StartInProcess();
            if (version == OdooVersion.Odoo20)
                await ReadCardsAgainAsync(bed);
            await EqualAsync(bed);
            await WorkAsync(bed, version, new InitialRows());
            await EqualAsync(bed);
        }
        Assert.Equal(
            0,
            await bed.Engine.ScalarAsync<long>($"SELECT count(*) FROM ({DeclaredAggregate.Of(bed.Entities).Single().Wrong}) w", Ct)
        );
        Assert.True(await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM card_points", Ct) > 100);
    }

    /// <summary>'cdc snapshot loyalty_card': what is declared of a card has changed, and no card has.</summary>
    private static async Task ReadCardsAgainAsync(PipelineBed bed)
    {
        await using var connection = await bed.Engine.DataSource.OpenConnectionAsync(Ct);
        var request = await SnapshotRequests.AskAsync(connection, "card", default, null, Ct);
        await Eventually.True(
            "the cards are read again",
            async () => await SnapshotRequests.AnswerAsync(connection, request, Ct) is { State: RequestState.Done },
            ct: Ct
        );
    }

    private static async Task EqualAsync(PipelineBed bed)
    {
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    private static async Task WorkAsync(PipelineBed bed, OdooVersion version, InitialRows initial)
    {
        await using var odoo = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = bed.Source.ConnectionString,
                Odoo = version,
                Sessions = 1,
                Transactions = 60,
                BulkRows = 20,
                Mix = WorkloadMix.Usual,
                SynchronousCommit = false,
                Initial = initial,
            }
        );
        if (initial.Cards > 0)
            await odoo.PrepareAsync(Ct);
        await odoo.RunAsync(Ct);
    }
}
