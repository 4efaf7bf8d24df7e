namespace Cdc.Core.Operations;

/// <summary>Both servers' accounts of how far the pipeline is. Never throws for a server that is down: the report says so.</summary>
public interface IStatusSource
{
    Task<StatusReport> ReadAsync(CancellationToken ct);
}
