namespace Cdc.Tests.Support.Odoo;

public sealed record OdooStandInOptions
{
    /// <summary>Stands for a second: Odoo waits up to two after the first serialization failure, and twice as long after each.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromMilliseconds(4);

    /// <summary>What may be a context's <c>lang</c>.</summary>
    public IReadOnlyList<string> Languages { get; init; } = ["en_US"];

    /// <summary>Connections to the database: so many calls run at once, others wait.</summary>
    public int Connections { get; init; } = 40;
}
