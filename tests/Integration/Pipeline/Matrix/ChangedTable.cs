using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Equality;
using Cdc.Tests.Support.Pipeline;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline.Matrix;

/// <summary>A pipeline that is running: ends with what stopped it, and can be drained.</summary>
internal sealed record RunningPipeline(Task Completion, Func<Task> StopAsync);

/// <summary>
/// Makes one change at every moment, and says what became of it. Whatever it is: no table is streaming that differs, and the process goes
/// on, or stops with its name.
/// </summary>
internal sealed class ChangedTable(PipelineBed bed, TableChange change, ReaderRole? role, Func<RunningPipeline> start)
{
    private const string Entity = SourceOwner.Entity;
    private const string ReadAgain = "changed without an event";

    private readonly SourceOwner _owner = new(bed, role);
    private RunningPipeline _running = null!;
    private int _key = 100_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async Task PrepareAsync()
    {
        await bed.FillAsync(Ct);
        await _owner.PrepareAsync(change);
    }

    /// <summary>Before anything is followed.</summary>
    public async Task<string> AtFirstStartAsync()
    {
        await RunAsync(change.Make);
        await WriteAsync();
        _running = start();
        // A column that cannot be read stops its table alone, also then.
        if (change.Refused is not { } code || code.StartsWith("column-", StringComparison.Ordinal))
            return await UndoneAsync(await SettledAsync());
        var refused = await Assert.ThrowsAsync<FindingsException>(() => _running.Completion.WaitAsync(Eventually.DefaultTimeout, Ct));
        Assert.Contains(code, refused.Findings.Where(f => f.IsError).Select(f => f.Code));
        await RunAsync(change.Undo);
        _running = start();
        await EqualAsync();
        return $"refused: `{code}`";
    }

    /// <summary>Mended by what the table's reason says, where that is SQL.</summary>
    public async Task<string> WhileRunningAsync()
    {
        await RunAsync(change.Make);
        await WriteAsync();
        var became = await SettledAsync();
        if (change.AfterRemedy is null)
            return await UndoneAsync(became);
        var (_, reason) = await StateAsync();
        await _owner.ObeyAsync(reason!);
        await WriteAsync();
        await EqualAsync();
        await RunAsync(change.AfterRemedy);
        await WriteAsync();
        await EqualAsync();
        return became;
    }

    public async Task<string> BetweenTwoRunsAsync()
    {
        await _running.StopAsync();
        await RunAsync(change.Make);
        await WriteAsync();
        _running = start();
        return await UndoneAsync(await SettledAsync());
    }

    /// <summary>Its rows are waiting to be read, and the change comes before or among the readings.</summary>
    public async Task<string> DuringALoadAsync()
    {
        await using var writer = await bed.Source.DataSource.OpenConnectionAsync(Ct);
        await using var open = await writer.BeginTransactionAsync(Ct);
        await using (var begin = new NpgsqlCommand("SELECT pg_current_xact_id()", writer))
            await begin.ExecuteNonQueryAsync(Ct);
        await RunAsync("VACUUM FULL loyalty_point_history");
        await Eventually.True("the table is to be read again", async () => await StateAsync() is ("loading", _), ShownAsync, ct: Ct);
        await RunAsync(change.Make);
        await open.RollbackAsync(Ct);
        await WriteAsync();
        return await UndoneAsync(await SettledAsync());
    }

    private async Task<string> SettledAsync()
    {
        if (change.Gap is { } kind)
        {
            var gap = await Assert.ThrowsAsync<DeclaredGapException>(() => _running.Completion.WaitAsync(Eventually.DefaultTimeout, Ct));
            Assert.Equal(kind, gap.GapKind);
            return $"gap: `{kind}`";
        }
        if (change.Stops is not { } reason)
        {
            await EqualAsync();
            await WriteAsync();
            await EqualAsync();
            return "followed";
        }
        await UntilAsync(
            $"it stops with '{reason}'",
            async () => await StateAsync() is ("stopped", { } said) && said.Contains(reason, StringComparison.Ordinal)
        );
        await StaysStoppedAsync();
        return $"stops: `{change.Refused}`";
    }

    /// <summary>The catalog is looked at again, and all other tables are followed.</summary>
    private async Task StaysStoppedAsync()
    {
        var before = Readings("loyalty_point_history");
        await WriteAsync();
        var looks = Readings("loyalty_program");
        await RunAsync("VACUUM FULL loyalty_program");
        await UntilAsync("the catalog is looked at", () => Task.FromResult(Readings("loyalty_program") > looks));
        await bed.StreamCaughtUpAsync(Ct);
        var others = new EntitySet([.. bed.Entities.All.Where(e => e.Name != Entity)]);
        await UntilAsync(
            "all others are equal",
            async () => (await new EqualityCheck(others).CompareAsync(bed.Source.DataSource, bed.Engine.DataSource, Ct)).AreEqual
        );
        Assert.Equal("stopped", (await StateAsync()).State);
        Assert.Equal(before, Readings("loyalty_point_history"));
    }

    private async Task<string> UndoneAsync(string became)
    {
        await RunAsync(change.Undo);
        if (change.Gap is not null)
            await AcceptAsync();
        await WriteAsync();
        await EqualAsync();
        return became;
    }

    private async Task AcceptAsync()
    {
        bed.SourceOptions = bed.SourceOptions with { AcceptGaps = true };
        _running = start();
        await EqualAsync();
        await _running.StopAsync();
        bed.SourceOptions = bed.SourceOptions with { AcceptGaps = false };
        _running = start();
    }

    private async Task EqualAsync()
    {
        var equal = bed.EqualByItselfAsync(Ct);
        if (await Task.WhenAny(equal, _running.Completion) == _running.Completion)
            await _running.Completion;
        await equal;
    }

    private Task UntilAsync(string reason, Func<Task<bool>> condition) =>
        Eventually.True(
            reason,
            async () =>
            {
                if (_running.Completion.IsCompleted)
                    await _running.Completion;
                return await condition();
            },
            ShownAsync,
            ct: Ct
        );

    private async Task WriteAsync()
    {
        var key = _key;
        _key += 2;
        string[] writes =
        [
            $"INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount, points_balance) VALUES ({key}, 1, 1, 1), ({key + 1}, 2, 2, 2)",
            "UPDATE loyalty_point_history SET points_balance = points_balance + 1",
            $"DELETE FROM loyalty_point_history WHERE id = {key}",
            "UPDATE loyalty_point_move SET remaining_point = remaining_point + 1",
        ];
        foreach (var write in writes)
            try
            {
                await bed.Source.ExecuteAsync(write, Ct);
            }
            catch (PostgresException e) when (SourceOwner.IsOfChangedTable(e) || e.SqlState.StartsWith("23", StringComparison.Ordinal))
            {
                // The change breaks Odoo too, or a constraint of its own refuses the row.
            }
    }

    private Task RunAsync(params IEnumerable<string> statements) => _owner.RunAsync(statements);

    private async Task<(string State, string? Reason)> StateAsync()
    {
        await using var command = bed.Engine.DataSource.CreateCommand($"SELECT state, reason FROM cdc.tables WHERE entity = '{Entity}'");
        await using var row = await command.ExecuteReaderAsync(Ct);
        return await row.ReadAsync(Ct) ? (row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1)) : ("", null);
    }

    private int Readings(string table) =>
        bed.Log.Lines.Count(l =>
            l.Contains(string.Create(CultureInfo.InvariantCulture, $"Table public.{table} {ReadAgain}"), StringComparison.Ordinal)
        );

    private async Task<string> ShownAsync() =>
        $"{await StateAsync()}{Environment.NewLine}{string.Join(Environment.NewLine, bed.Log.Lines.TakeLast(15))}";
}
