using Cdc.Capture;
using Cdc.Core.Snapshots;
using Cdc.Engine.Privileges;
using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Requests;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Equality;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>What <c>cdc grants</c> prints is enough to compare, and no more than that.</summary>
public sealed class FenceGrantsTests(TestServers servers)
{
    private readonly string _suffix = "_" + Guid.NewGuid().ToString("N")[..12];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_delivered_roles_may_compare_and_ask_for_rows_and_change_none()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_program (name) VALUES ('one'); INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'one', 1)",
            Ct
        );
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        try
        {
            await bed.Source.ExecuteAsync(
                SourceGrants.ToFollow(bed.SourceOptions.Publication, bed.Entities, ["cdc_source" + _suffix])
                    + SourceGrants.ToCompare(bed.Entities, ["cdc_reconcile_source" + _suffix]),
                Ct
            );
            await SharedCatalog.ChangeAsync(() =>
                bed.Engine.ExecuteAsync(
                    EngineGrants.ToApply(bed.Entities, ["cdc_engine" + _suffix])
                        + EngineGrants.ToCompare(bed.Entities, ["cdc_reconcile_engine" + _suffix], ReconcileGrants.Add),
                    Ct
                )
            );

            Assert.Equal(1, await CompareAsync(bed, As(bed.Source, "cdc_source"), As(bed.Engine, "cdc_engine")));
            var (source, engine) = (As(bed.Source, "cdc_reconcile_source"), As(bed.Engine, "cdc_reconcile_engine"));
            Assert.Equal(1, await CompareAsync(bed, source, engine));
            var reads = new KeyReads(engine, bed.Log);
            Assert.Equal(
                "1 rows read, 0 rows removed",
                (await reads.WaitAsync(await reads.AskAsync(bed.Entity("card"), [1], Ct), Ct)).Answer
            );
            await CompareAndRepairAsync(bed, source, engine);
            await RefusedAsync(source, "UPDATE loyalty_card SET points = 0");
            await RefusedAsync(engine, "UPDATE loyalty_cards SET points = 0");
            await RefusedAsync(engine, "DELETE FROM cdc.quarantine");
        }
        finally
        {
            await bed.StopInProcessAsync();
            foreach (
                var (database, roles) in ((TestDatabase, string[])[])
                    [(bed.Source, ["cdc_source", "cdc_reconcile_source"]), (bed.Engine, ["cdc_engine", "cdc_reconcile_engine"])]
            )
            {
                foreach (var role in roles.Select(r => r + _suffix))
                    await DropAsync(database, role);
            }
        }
    }

    private static async Task<long> CompareAsync(PipelineBed bed, string source, string engine)
    {
        await using var fence = await new FenceGate(source, engine, new FenceOptions()).OpenAsync(bed.Entity("card"), KeyRange.All, Ct);
        var report = await new EqualityCheck(bed.Entities).CompareAsync(bed.Entity("card"), fence, Ct);
        return report.AreEqual ? report.Entities[0].Rows : throw new NotEqualException(report);
    }

    /// <summary>A whole run and its repair, as <c>cdc reconcile --repair</c> makes them.</summary>
    private static async Task CompareAndRepairAsync(PipelineBed bed, string source, string engine)
    {
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 7", Ct);
        await using var odoo = NpgsqlDataSource.Create(source);
        await using var ours = NpgsqlDataSource.Create(engine);
        var (gate, options, request) = (
            new FenceGate(source, engine, new FenceOptions()),
            new ReconcileOptions(),
            new RunRequest(RunKind.Full, bed.Entities.All, Violations: true)
        );
        var servers = new ComparedServers(odoo, ours, gate, bed.Entities);
        var run = await new Reconciler(servers, options).RunAsync(request, Ct);
        var repair = new Repair(servers, new KeyReads(engine, bed.Log), options, bed.EngineOptions.DeleteLimit);
        Assert.Equal(1, (await repair.RunAsync(await repair.PlanAsync(run, request, Ct), Ct)).Equal);
        await bed.AssertEqualAsync(Ct);
    }

    private static async Task RefusedAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        Assert.Equal(
            PostgresErrorCodes.InsufficientPrivilege,
            (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Ct))).SqlState
        );
    }

    private static Task DropAsync(TestDatabase database, string role) =>
        SharedCatalog.ChangeAsync(() =>
            database.ExecuteAsync(
                $"""
                DO $$ BEGIN
                    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                        DROP OWNED BY {role};
                        IF '{role}' LIKE 'cdc\_engine%' THEN REVOKE SET ON PARAMETER session_replication_role FROM {role}; END IF;
                        DROP ROLE {role};
                    END IF;
                END $$
                """,
                CancellationToken.None
            )
        );

    private string As(TestDatabase database, string role) =>
        new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = role + _suffix, Pooling = false }.ConnectionString;
}
