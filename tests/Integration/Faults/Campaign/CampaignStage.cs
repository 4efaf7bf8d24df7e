using System.Diagnostics;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Faults.Campaign;

/// <summary>Starts one process of <c>cdc</c>.</summary>
internal delegate Task<WatchedProcess> StartProgram(CancellationToken ct);

/// <summary>Servers, an Odoo at work, the processes of <c>cdc</c> between them, and the faults that befall them.</summary>
internal sealed class CampaignStage : IAsyncDisposable
{
    /// <summary>Rather a broken promise than a slow machine: a drain takes a second or two.</summary>
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(15);

    private readonly PipelineBed _bed;
    private readonly OwnServers _servers;
    private readonly IReadOnlyList<StartProgram> _programs;
    private readonly List<WatchedProcess> _running = [];
    private readonly List<string> _played = [];
    private readonly List<(string Name, Func<Random, CancellationToken, Task> Play)> _faults;
    private WorkloadGenerator? _odoo;
    private TimeSpan _slowestDrain;
    private int _columns;

    public CampaignStage(
        PipelineBed bed,
        OwnServers servers,
        IReadOnlyList<StartProgram> programs,
        params IEnumerable<(string Name, Func<Random, CancellationToken, Task> Play)> more
    )
    {
        (_bed, _servers, _programs) = (bed, servers, programs);
        _faults =
        [
            ("kill the program", KillProgramAsync),
            ("stop the program", StopProgramAsync),
            ("freeze the program", FreezeProgramAsync),
            ("kill the engine", (_, ct) => AwayAsync(servers.Engine, ct)),
            ("kill the source", (_, ct) => AwayAsync(servers.Source, ct)),
            ("end the engine's sessions", (_, ct) => EndSessionsAsync(bed.Engine, ct)),
            ("end the source's sessions", (_, ct) => EndSessionsAsync(bed.Source, ct)),
            ("add a column", AddColumnAsync),
            ("rewrite a table", (_, ct) => bed.Source.ExecuteAsync("VACUUM FULL loyalty_point_move", ct)),
            ("truncate a table", (_, ct) => bed.Source.ExecuteAsync("TRUNCATE loyalty_point_history", ct)),
            ("read a table again", SnapshotAsync),
            ("change the replica identity", ReplicaIdentityAsync),
            .. more,
        ];
    }

    /// <summary>Plays faults until it is enough, ends the load, and waits until the engine has everything. The programs have ended well.</summary>
    public async Task PlayAsync(Random random, CampaignLength length, Action<string> say, CancellationToken ct)
    {
        await using var odoo = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = _bed.Source.ConnectionString,
                Seed = random.Next(),
                Sessions = 3,
                TransactionsPerSecond = 300,
                ExpiryRows = 300,
                BulkRows = 100,
                Initial = InitialRows.Shop(200),
            }
        );
        _odoo = odoo;
        await odoo.PrepareAsync(ct);
        foreach (var program in _programs)
            _running.Add(await program(ct));
        await _bed.CaughtUpAsync(ct);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var working = odoo.RunAsync(enough.Token);
        for (var played = 0; !length.IsOver(played); played++)
            await PlayOneAsync(random, ct);
        await enough.CancelAsync();
        var transactions = (await working).Transactions;
        await CaughtUpAsync(ct);
        foreach (var program in _running)
            await DrainAsync(program, ct);
        var faults = string.Join(
            ", ",
            _played.CountBy(name => name).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}: {p.Value}")
        );
        say(
            FormattableString.Invariant(
                $"{length.Elapsed.TotalSeconds:0} s, {transactions} transactions, slowest drain {_slowestDrain.TotalSeconds:0.0} s; {faults}"
            )
        );
    }

    public ValueTask DisposeAsync()
    {
        ForgetConnections();
        return ValueTask.CompletedTask;
    }

    private async Task PlayOneAsync(Random random, CancellationToken ct)
    {
        var (name, play) = _faults[random.Next(_faults.Count)];
        try
        {
            await play(random, ct);
            await WorkGoesOnAsync(random.Next(1, 400), ct);
            if (random.Next(3) == 0)
                await CaughtUpAsync(ct);
            foreach (var program in _running)
                Assert.False(program.HasExited, "the program ended by itself");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var tails = string.Join(Environment.NewLine, _running.Select(p => (p.HasExited ? $"[exit code {p.ExitCode}] " : "") + p.Tail));
            throw new InvalidOperationException($"after '{name}': {e.Message}{Environment.NewLine}{tails}", e);
        }
        _played.Add(name);
    }

    private async Task KillProgramAsync(Random random, CancellationToken ct)
    {
        var which = random.Next(_programs.Count);
        Assert.Equal(128 + (int)Signal.Kill, await _running[which].StopAsync(Signal.Kill, ct));
        _running[which] = await _programs[which](ct);
    }

    private async Task StopProgramAsync(Random random, CancellationToken ct)
    {
        var which = random.Next(_programs.Count);
        await DrainAsync(_running[which], ct);
        await WorkGoesOnAsync(random.Next(1, 300), ct);
        _running[which] = await _programs[which](ct);
    }

    private async Task DrainAsync(WatchedProcess program, CancellationToken ct)
    {
        var drain = Stopwatch.StartNew();
        Assert.Equal(0, await program.StopAsync(Signal.Terminate, ct).WaitAsync(LongestDrain, ct));
        _slowestDrain = TimeSpan.FromTicks(Math.Max(_slowestDrain.Ticks, drain.Elapsed.Ticks));
    }

    /// <summary>Another takes over what it held, and it wakes up as one too many.</summary>
    private async Task FreezeProgramAsync(Random random, CancellationToken ct)
    {
        var which = random.Next(_programs.Count);
        var frozen = _running[which];
        frozen.Send(Signal.Stop);
        var other = await _programs[which](ct);
        await WorkGoesOnAsync(random.Next(1, 300), ct);
        await EndSessionsAsync(_bed.Source, ct);
        frozen.Send(Signal.Continue);
        await WorkGoesOnAsync(random.Next(1, 300), ct);
        await DrainAsync(frozen, ct);
        _running[which] = other;
    }

    private async Task AwayAsync(PgCluster server, CancellationToken ct)
    {
        await server.KillAsync(ct);
        if (server != _servers.Source)
            await WorkGoesOnAsync(300, ct);
        await server.StartAgainAsync(ct);
        ForgetConnections();
    }

    private static Task EndSessionsAsync(TestDatabase database, CancellationToken ct) =>
        database.ExecuteAsync(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE (datname = current_database() AND application_name LIKE 'cdc%' AND application_name <> 'cdc-workload')
            """,
            ct
        );

    private Task AddColumnAsync(Random random, CancellationToken ct)
    {
        _columns++;
        // With a default that PostgreSQL does not write into the rows that are there.
        return _bed.Source.ExecuteAsync($"ALTER TABLE loyalty_card ADD COLUMN added_{_columns} int DEFAULT {random.Next(100)}", ct);
    }

    private async Task SnapshotAsync(Random random, CancellationToken ct)
    {
        string[] entities = ["card", "move", "history", "program"];
        var (code, said) = await CdcProcess.RunAsync(["snapshot", entities[random.Next(entities.Length)]], _bed.Environment(), ct);
        Assert.True(code == 0, $"cdc snapshot ended with {code}: {said}");
    }

    private async Task ReplicaIdentityAsync(Random random, CancellationToken ct)
    {
        await _bed.Source.ExecuteAsync("ALTER TABLE loyalty_card REPLICA IDENTITY FULL", ct);
        await WorkGoesOnAsync(random.Next(1, 200), ct);
        await _bed.Source.ExecuteAsync("ALTER TABLE loyalty_card REPLICA IDENTITY DEFAULT", ct);
    }

    private Task WorkGoesOnAsync(int transactions, CancellationToken ct)
    {
        var target = _odoo!.Progress.Transactions + transactions;
        return Eventually.True("Odoo works on", () => _odoo.Progress.Transactions >= target, ct: ct);
    }

    private async Task CaughtUpAsync(CancellationToken ct)
    {
        await _bed.CaughtUpAsync(ct, 2 * Eventually.DefaultTimeout);
    }

    /// <summary>The test's own, to a server that was killed.</summary>
    private void ForgetConnections()
    {
        _bed.Source.DataSource.Clear();
        _bed.Engine.DataSource.Clear();
    }
}
