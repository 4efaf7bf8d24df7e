using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Pipeline;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline.Matrix;

/// <summary>
/// Changes of the matrix as moves of a longer history: one is made, and mended later, by what cdc says or by what undoes it. Between the two
/// anything may happen.
/// </summary>
/// <param name="role">With which cdc reads: then those that concern a role.</param>
internal sealed class TableMoves(PipelineBed bed, ReaderRole? role, Random random)
{
    private readonly SourceOwner _owner = new(bed, role);
    private readonly IReadOnlyList<TableChange> _changes = [.. TableChanges.All.Where(c => c.IsMove && c.AsReader == role is not null)];
    private TableChange? _made;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>How often the table was mended by what cdc said.</summary>
    public int Obeyed { get; private set; }

    /// <summary>Before anything is followed.</summary>
    public Task PrepareAsync() => _owner.PrepareAsync(_changes);

    /// <summary>Makes a change, or mends the one that was made.</summary>
    /// <returns>What was done, in words.</returns>
    public async Task<string> NextAsync()
    {
        if (_made is { } made)
        {
            await MendAsync();
            return $"mended: {made.Name}";
        }
        var change = _changes[random.Next(_changes.Count)];
        _made = change;
        await _owner.RunAsync(change.Make);
        return $"made: {change.Name}";
    }

    /// <summary>The table can be followed after it. A pipeline is running that can write to the engine.</summary>
    public async Task MendAsync()
    {
        if (_made is not { } change)
            return;
        if (change is { AfterRemedy: { } rest, Stops: { } stops } && random.Next(2) == 0 && await ObeyedAsync(stops))
            await _owner.RunAsync(rest);
        else
            await _owner.RunAsync(change.Undo);
        _made = null;
    }

    private async Task<bool> ObeyedAsync(string stops)
    {
        var reason = "";
        await Eventually.True(
            $"it stops with '{stops}'",
            async () =>
                (
                    reason =
                        await bed.Engine.ScalarAsync<string>(
                            $"SELECT coalesce(reason, '') FROM cdc.tables WHERE entity = '{SourceOwner.Entity}' AND state = 'stopped'",
                            Ct
                        ) ?? ""
                ).Contains(stops, StringComparison.Ordinal),
            async () =>
                string.Join("; ", await bed.Engine.RowsAsync("SELECT entity, state, reason FROM cdc.tables", Ct))
                + Environment.NewLine
                + string.Join(Environment.NewLine, bed.Log.Lines.TakeLast(15)),
            ct: Ct
        );
        try
        {
            await _owner.ObeyAsync(reason);
        }
        // Odoo has written one key twice meanwhile: the rows have to go first.
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return false;
        }
        Obeyed++;
        return true;
    }
}
