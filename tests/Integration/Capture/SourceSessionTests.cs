using System.Data;
using Cdc.Capture.Source;
using Cdc.Core.Postgres;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

public sealed class SourceSessionTests(TestServers servers)
{
    private const string CardTable = "CREATE TABLE card (id serial PRIMARY KEY, code text)";
    private const string Card = "card: id integer, code text";

    [Fact]
    public async Task A_snapshot_sees_what_had_ended_and_not_what_was_running_or_prepared()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await using var writer = await bed.OpenAsync();
        await using var reader = await bed.OpenAsync();
        var ended = Xid(await bed.ScalarAsync<string>("SELECT pg_current_xact_id()::text"));
        await using var open = await writer.BeginTransactionAsync(Ct);
        var running = Xid(await writer.Statement("SELECT pg_current_xact_id()::text").ScalarAsync<string>(Ct));
        var prepared = Xid(
            await bed.ScalarAsync<string>(
                $"BEGIN; INSERT INTO card DEFAULT VALUES; SELECT pg_current_xact_id()::text; PREPARE TRANSACTION '{bed.Database.Name}'"
            )
        );
        await using var transaction = await reader.BeginTransactionAsync(IsolationLevel.RepeatableRead, Ct);
        var session = new SourceSession(reader);
        var first = await session.SnapshotAsync(Ct);
        await bed.RunAsync($"COMMIT PREPARED '{bed.Database.Name}'");
        await open.CommitAsync(Ct);

        Assert.Equal((true, false, false), (first.Sees(ended), first.Sees(running), first.Sees(prepared)));
        Assert.False((await session.SnapshotAsync(Ct)).Sees(running));
        await transaction.CommitAsync(Ct);
        var later = await session.SnapshotAsync(Ct);
        Assert.True(later.Sees(running) && later.Sees(prepared));
        Assert.True(later.Xmin >= first.Xmin && later.Xmax >= first.Xmax);
    }

    [Fact]
    public async Task A_snapshot_above_writers_is_above_the_one_that_began_last()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await using var writer = await bed.OpenAsync();
        await using var connection = await bed.OpenAsync();
        await using var open = await writer.BeginTransactionAsync(Ct);
        var running = Xid(await writer.Statement("SELECT pg_current_xact_id()::text").ScalarAsync<string>(Ct));
        var above = await new SourceSession(connection).SnapshotAboveWritersAsync(Ct);
        Assert.True(above.Xmax > running, $"{above.Xmax} is not above {running}, which is running.");
        Assert.False(above.Sees(running));
    }

    [Fact]
    public async Task A_marker_comes_back_in_the_stream_at_the_lsn_it_was_given()
    {
        await using var bed = await StreamTestBed.CreateAsync(servers, CardTable, Card);
        await using var connection = await bed.OpenAsync();
        var session = new SourceSession(connection);
        await bed.RunAsync("INSERT INTO card (code) VALUES ('before')");
        var before = await session.CurrentWalLsnAsync(Ct);
        var marker = await session.EmitMarkerAsync("cdc", "seven"u8.ToArray(), Ct);
        await bed.RunAsync("INSERT INTO card (code) VALUES ('after')");
        var seen = await bed.ReadAllAsync();
        Assert.Equal(["insert card 1@0 id=1 code=before", "message cdc seven", "insert card 2@0 id=2 code=after"], seen.Changes.Take(3));
        Assert.Equal(("cdc", marker), seen.Messages[0]);
        Assert.True(before <= marker && marker <= seen.Transactions[1].CommitLsn);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static ulong Xid(string? text) => ulong.Parse(text!, System.Globalization.CultureInfo.InvariantCulture);
}
