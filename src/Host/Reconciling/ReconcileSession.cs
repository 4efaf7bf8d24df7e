using System.Net.Sockets;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Runs;
using Npgsql;

namespace Cdc.Host.Reconciling;

/// <summary>One comparison from a command line: both servers, fences of the running pipeline, and progress on stderr.</summary>
internal sealed class ReconcileSession(CdcOptions options, EntitySet entities, Terminal terminal, TimeProvider time)
{
    /// <exception cref="CdcException">The run failed, or could not begin.</exception>
    public async Task<RunReport> RunAsync(RunRequest request, int maxDrift, CancellationToken ct)
    {
        await using var source = Database.Source(options.Source.ConnectionString);
        await using var engine = Database.Engine(options.Engine.ConnectionString);
        // Later it could not be told which of the two it was.
        await source.UseAsync(_ => Task.CompletedTask, ct);
        await engine.UseAsync(c => c.ListAsync("SELECT 1 FROM cdc.reconcile_runs LIMIT 0", [], r => r.GetInt32(0), ct), ct);
        var gate = new FenceGate(options.Source.ConnectionString, options.Engine.ConnectionString, options.Fence, time);
        IFence fences = request.Kind == RunKind.SignOff ? new FrozenFence(gate) : gate;
        var run = await CompareAsync(new Reconciler(source.Connections, engine.Connections, fences, entities, options.Reconcile, new ReconcileProgressLines(terminal)), request, ct);
        return await engine.UseAsync(c => ReportReader.ReadAsync(c, run, maxDrift, ct), ct);
    }

    private static async Task<long> CompareAsync(Reconciler reconciler, RunRequest request, CancellationToken ct)
    {
        try
        {
            return await reconciler.RunAsync(request, ct);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new CdcException(FailureKind.Preflight, $"A server refuses: {refused.MessageText}.", "Run 'cdc check': it names the missing privilege and its SQL.", refused);
        }
        catch (Exception failure) when (failure is NpgsqlException or SocketException or TimeoutException)
        {
            throw new CdcException(FailureKind.Unavailable, $"The comparison broke off: {failure.Message}.", "Look at both servers ('cdc status'), then run it again.", failure);
        }
    }
}
