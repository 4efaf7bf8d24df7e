using Cdc.Core.Entities;
using Cdc.Host.Terminals;
using Cdc.Reconcile.Runs;

namespace Cdc.Host.Reconciling;

/// <summary>A line on stderr for each slice: results have stdout to themselves.</summary>
internal sealed class ReconcileProgressLines(Terminal terminal) : IProgress<ReconcileProgress>
{
    public void Report(ReconcileProgress value) =>
        terminal.Error.WriteLine(
            $"{value.Entity}: {Quantity.Count(value.Numbers.Compared)} compared, "
                + $"{Quantity.Count(value.Numbers.Drift)} drift{(value.UpTo is { } key ? $", up to key {KeyText.Of(key)}" : ", done")}"
        );
}
