using Cdc.Api.Engine;
using Cdc.Api.Flags;
using Cdc.Api.Metrics;
using Cdc.Api.Operations;
using Cdc.Core.Operations;

namespace Cdc.Api.Page;

/// <summary>Reads what the page shows beside its charts. What the engine cannot say while it is down is null.</summary>
internal sealed class LiveStateReader(ApiParts parts, ApiOptions options, MarksReader marks, ReconcileStanding standing, FlagTable flags)
{
    private readonly IReadOnlyList<string> _topics = [.. parts.Entities.All.Select(parts.LogOf).Distinct()];

    public async Task<LiveState> ReadAsync(StatusReport report, CancellationToken ct)
    {
        var known = await OrNullAsync(() => marks.ReadAsync(ct));
        var all = await OrNullAsync(async () => string.Join(' ', (await flags.AllAsync(ct)).Values.Select(f => $"{f.Name}:{f.Version}")));
        await standing.ReadAsync(ct);
        var rows = standing.Rows(report);
        return new LiveState(
            parts.Version,
            HealthView.Of(report, options.LagLimit, rows),
            report,
            LagView.Of(report, parts),
            _topics,
            new LiveMarks(
                known?.Quarantine,
                known is null ? null
                    : known.Runs is null ? ""
                    : $"{known.Runs} {known.OpenDrift}",
                all
            ),
            standing.Ratio,
            known?.OpenDrift,
            rows is null ? null : new LiveVerdict(rows.Word, rows.Drift, rows.NotCompared, rows.LeftOut)
        );
    }

    private static async Task<T?> OrNullAsync<T>(Func<Task<T>> read)
        where T : class
    {
        try
        {
            return await read();
        }
        catch (EngineUnavailableException)
        {
            return null;
        }
    }
}
