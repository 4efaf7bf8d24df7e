using System.Diagnostics;
using System.Globalization;

namespace Cdc.Tests.Integration.Faults.Campaign;

/// <summary>How long a campaign goes on: a number of faults in CI, minutes where a person asks for them.</summary>
internal sealed class CampaignLength
{
    private const string Variable = "CDC_CAMPAIGN_MINUTES";
    private const int FaultsInCi = 8;

    private readonly TimeSpan? _time;
    private readonly Stopwatch _elapsed = Stopwatch.StartNew();

    private CampaignLength(TimeSpan? time) => _time = time;

    /// <exception cref="FormatException">The variable is no number of minutes.</exception>
    public static CampaignLength Here =>
        new(
            Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } minutes
                ? TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture))
                : null
        );

    /// <summary>Tables grow with the minutes: chunks of CI's size would take longer to read than a test waits.</summary>
    public int ChunkRows => _time is null ? 100 : 2000;

    public TimeSpan Elapsed => _elapsed.Elapsed;

    public bool IsOver(int faults) => _time is { } time ? _elapsed.Elapsed >= time : faults >= FaultsInCi;
}
