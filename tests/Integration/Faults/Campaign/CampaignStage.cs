using System.Diagnostics;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Integration.Pipeline.Matrix;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Faults.Campaign;

/// <summary>Servers, an Odoo at work, the processes of <c>cdc</c> between them, and the faults that befall them.</summary>
internal sealed class CampaignStage : IAsyncDisposable
{
    /// <summary>Rather a broken promise than a slow machine: a drain takes a second or two.</summary>
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(15);

    private readonly PipelineBed _bed;
    private readonly OwnServers _servers;
    private readonly IReadOnlyList<CampaignProgram> _programs;
    private readonly TableMoves _moves;
    private readonly List<WatchedProcess> _running = [];
    private readonly List<string> _played = [];
    private readonly List<(string Name, Func<Random, CancellationToken, Task> Play)> _faults;
    private WorkloadGenerator? _odoo;
    private Task<WorkloadReport>? _working;
    private TimeSpan _slowestDrain;
    private int _columns;
    private string _now = "";

    /// <param name="broker">That the programs have between them; null: there is none.</param>
    /// <param name="more">Faults of one campaign only.</param>
    public CampaignStage(
        PipelineBed bed,
        OwnServers servers,
        IReadOnlyList<CampaignProgram> programs,
        TableMoves moves,
        KafkaBroker? broker = null,
        params IEnumerable<(string Name, Func<Random, CancellationToken, Task> Play)> more
    )
    {
        (_bed, _servers, _programs, _moves) = (bed, servers, programs, moves);
        _faults =
        [
            ("kill a program", KillProgramAsync),
            ("stop a program", StopProgramAsync),
            ("freeze a program", FreezeProgramAsync),
            ("kill the engine", (random, ct) => AwayAsync(servers.Engine, random, ct)),
            ("kill the source", (random, ct) => AwayAsync(servers.Source, random, ct)),
            ("end the engine's sessions", (_, ct) => EndSessionsAsync(bed.Engine, ct)),
            ("end the source's sessions", (_, ct) => EndSessionsAsync(bed.Source, ct)),
            ("add a column", AddColumnAsync),
            ("rewrite a table", (_, ct) => bed.Source.ExecuteAsync("VACUUM FULL loyalty_point_move", ct)),
            ("truncate a table", (_, ct) => TruncateAsync(ct)),
            ("read a table again", SnapshotAsync),
            ("change the replica identity", ReplicaIdentityAsync),
            // There are forty of them: they are drawn more often than one of the others.
            .. Enumerable.Repeat<(string, Func<Random, CancellationToken, Task>)>(("change a table", (_, _) => ChangeTableAsync()), 4),
            .. more,
        ];
        if (broker is null)
            return;
        _faults.Add(("kill the broker", (random, ct) => BrokerAwayAsync(broker, broker.KillAsync, random, ct)));
        _faults.Add(("restart the broker", (random, ct) => BrokerAwayAsync(broker, broker.StopAsync, random, ct)));
        _faults.Add(("freeze the broker", (random, ct) => FreezeBrokerAsync(broker, random, ct)));
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
                OutlivesRefusals = true,
            }
        );
        _odoo = odoo;
        await odoo.PrepareAsync(ct);
        foreach (var program in _programs)
            _running.Add(await program.StartAsync(ct));
        await _bed.CaughtUpAsync(ct);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var working = _working = odoo.RunAsync(enough.Token);
        for (var played = 0; !length.IsOver(played); played++)
            await PlayOneAsync(random, ct);
        await enough.CancelAsync();
        var transactions = (await working).Transactions;
        await _moves.MendAsync();
        await _bed.EqualByItselfAsync(ct);
        foreach (var program in _running)
            await DrainAsync(program, ct);
        var faults = string.Join(
            ", ",
            _played.CountBy(name => name).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}: {p.Value}")
        );
        say(
            FormattableString.Invariant(
                $"{length.Elapsed.TotalSeconds:0} s, {transactions} transactions, slowest drain {_slowestDrain.TotalSeconds:0.0} s, obeyed {_moves.Obeyed} times; {faults}"
            )
        );
    }

    public async ValueTask DisposeAsync()
    {
        // After a fault in the middle of an outage, so that the databases can be dropped: what went wrong must not be hidden by that.
        foreach (var server in (PgCluster[])[_servers.Source, _servers.Engine])
            if (!server.IsRunning)
                await server.StartAgainAsync(CancellationToken.None);
        ForgetConnections();
    }

    private async Task PlayOneAsync(Random random, CancellationToken ct)
    {
        var (name, play) = _faults[random.Next(_faults.Count)];
        _now = name;
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
            throw new InvalidOperationException(
                $"after {string.Join(", ", _played.TakeLast(5).Append(_now))}: {e.Message}{Environment.NewLine}{tails}",
                e
            );
        }
        _played.Add(_now);
    }

    private async Task KillProgramAsync(Random random, CancellationToken ct)
    {
        var which = Chosen(random);
        Assert.Equal(128 + (int)Signal.Kill, await _running[which].StopAsync(Signal.Kill, ct));
        _running[which] = await _programs[which].StartAsync(ct);
    }

    private async Task StopProgramAsync(Random random, CancellationToken ct)
    {
        var which = Chosen(random);
        await DrainAsync(_running[which], ct);
        if (_servers.Source.IsRunning)
            await WorkGoesOnAsync(random.Next(1, 300), ct);
        _running[which] = await _programs[which].StartAsync(ct);
    }

    private async Task DrainAsync(WatchedProcess program, CancellationToken ct)
    {
        var drain = Stopwatch.StartNew();
        try
        {
            Assert.Equal(0, await program.StopAsync(Signal.Terminate, ct).WaitAsync(LongestDrain, ct));
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"It has not drained: {program.Tail}", e);
        }
        _slowestDrain = TimeSpan.FromTicks(Math.Max(_slowestDrain.Ticks, drain.Elapsed.Ticks));
    }

    /// <summary>Another takes over what it held, and it wakes up as one too many.</summary>
    private async Task FreezeProgramAsync(Random random, CancellationToken ct)
    {
        var which = Chosen(random);
        var frozen = _running[which];
        frozen.Send(Signal.Stop);
        var other = await _programs[which].StartAsync(ct);
        await WorkGoesOnAsync(random.Next(1, 300), ct);
        await EndSessionsAsync(_bed.Source, ct);
        frozen.Send(Signal.Continue);
        await WorkGoesOnAsync(random.Next(1, 300), ct);
        await DrainAsync(frozen, ct);
        _running[which] = other;
    }

    private async Task AwayAsync(PgCluster server, Random random, CancellationToken ct)
    {
        await server.KillAsync(ct);
        if (server != _servers.Source)
            await WorkGoesOnAsync(300, ct);
        await MeanwhileAsync(random, ct);
        await server.StartAgainAsync(ct);
        ForgetConnections();
    }

    private async Task BrokerAwayAsync(KafkaBroker broker, Func<CancellationToken, Task> end, Random random, CancellationToken ct)
    {
        await end(ct);
        await WorkGoesOnAsync(random.Next(1, 600), ct);
        await MeanwhileAsync(random, ct);
        await broker.StartAgainAsync(ct);
    }

    private async Task FreezeBrokerAsync(KafkaBroker broker, Random random, CancellationToken ct)
    {
        broker.Send(Signal.Stop);
        await WorkGoesOnAsync(random.Next(1, 600), ct);
        await MeanwhileAsync(random, ct);
        broker.Send(Signal.Continue);
    }

    /// <summary>Something is away: in every third case a program is stopped, killed, or neither. It drains all the same, and starts.</summary>
    private Task MeanwhileAsync(Random random, CancellationToken ct)
    {
        switch (random.Next(3))
        {
            case 0:
                _now += " and kill a program";
                return KillProgramAsync(random, ct);
            case 1:
                _now += " and stop a program";
                return StopProgramAsync(random, ct);
            default:
                return Task.CompletedTask;
        }
    }

    private int Chosen(Random random)
    {
        var which = random.Next(_programs.Count);
        _now += $" ({_programs[which].Command})";
        return which;
    }

    private async Task ChangeTableAsync() => _now += ": " + await _moves.NextAsync();

    /// <summary>Where it is a table at the moment.</summary>
    private async Task TruncateAsync(CancellationToken ct)
    {
        await _moves.MendAsync();
        await _bed.Source.ExecuteAsync("TRUNCATE loyalty_point_history", ct);
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
        var target = Tried + transactions;
        return Eventually.True(
            "Odoo works on",
            async () =>
            {
                if (_working!.IsFaulted)
                    await _working;
                return Tried >= target;
            },
            ct: ct
        );
    }

    /// <summary>What a changed table refuses counts too.</summary>
    private long Tried => _odoo!.Progress.Transactions + _odoo.Progress.Refused;

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
