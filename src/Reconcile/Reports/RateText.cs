using System.Globalization;

namespace Cdc.Reconcile.Reports;

/// <summary>A consistency rate for people: cut, not rounded, so that 100 % means that nothing differs.</summary>
public static class RateText
{
    public static string Of(double? rate) =>
        rate is { } r ? (Math.Floor(r * 1_000_000) / 10_000).ToString("0.0###", CultureInfo.InvariantCulture) + " %" : "-";
}
