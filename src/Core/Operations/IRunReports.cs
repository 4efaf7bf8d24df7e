using System.Text.Json;

namespace Cdc.Core.Operations;

/// <summary>What comparisons of source and engine found, in the form that <c>cdc reconcile --json</c> prints (docs/commands.md).</summary>
public interface IRunReports
{
    /// <param name="run">Its id; null: the newest that is done.</param>
    /// <param name="maxDrift">Differences that are wanted.</param>
    /// <param name="withValues">False: without the values of rows that differ.</param>
    /// <returns>Null: there is no such run.</returns>
    /// <exception cref="Failures.CdcException">The engine cannot be read.</exception>
    Task<JsonElement?> ReadAsync(long? run, int maxDrift, bool withValues, CancellationToken ct);
}
