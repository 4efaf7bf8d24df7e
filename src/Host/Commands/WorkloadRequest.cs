using Cdc.Workload;

namespace Cdc.Host.Commands;

/// <summary>What <c>cdc workload</c> asks of the generator.</summary>
/// <param name="ConnectionString">A test database, with a role that may create and write Odoo's tables there.</param>
/// <param name="Seed">The same seed gives the same history.</param>
/// <param name="Rate">Transactions a second; null: flat out.</param>
/// <param name="Duration">Null: until it is stopped.</param>
/// <param name="Cards">Cards that exist before it starts.</param>
internal sealed record WorkloadRequest(string ConnectionString, int Seed, double? Rate, TimeSpan? Duration, int Cards, int Sessions)
{
    /// <summary>Whose tables they are.</summary>
    public OdooVersion Odoo { get; init; }
}

internal sealed record WorkloadProgress(long Transactions, TimeSpan Elapsed);
