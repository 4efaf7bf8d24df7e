using System.Diagnostics;
using System.Globalization;

namespace Cdc.Bench.Measure;

/// <summary>Lines on stderr: what is running, since when, and how busy the machine is.</summary>
internal sealed class Progress(TextWriter output)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public void Say(FormattableString text) =>
        output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"[{_clock.Elapsed.TotalSeconds, 4:0} s, load {MachineDescription.Load():0.0}] ")
                + text.ToString(CultureInfo.InvariantCulture)
        );
}
