using System.Globalization;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Core.Telemetry;

namespace Cdc.Engine.Processes;

/// <summary>How the pipeline of a process stands, as it tells others.</summary>
/// <param name="Part">Its command: run, capture or apply.</param>
/// <param name="State">working, standby (another process holds the slot), waiting, stopped; unknown: it is up, and who asks may not see
/// more.</param>
/// <param name="Since">Since when it works, or does not.</param>
/// <param name="Kind">Of the failure; null while it works.</param>
/// <param name="Gap">The gap's kind, where it is one.</param>
/// <param name="Reason">Of what was said, as much as fits.</param>
public sealed record ProcessStanding(
    string Part,
    string State,
    DateTimeOffset? Since,
    string? Kind = null,
    string? Gap = null,
    string? Reason = null,
    string? Remedy = null
)
{
    // Before the first break all words are short: what a server cuts off (track_activity_query_size, 1,024 bytes by default) is of the texts.
    private const string Begin = "SELECT 'cdc process ";
    private const int MostRemedy = 250;
    private const int MostReason = 500;

    /// <param name="standing">Of the worst worker; null: none has started.</param>
    /// <param name="begun">When the process has.</param>
    public static ProcessStanding Of(string part, WorkerStanding? standing, DateTimeOffset begun)
    {
        var status = PipelineStatus.Of(standing);
        // A check lists its warnings too, perhaps before the error, and only a beginning fits.
        var error = (standing?.Failure as FindingsException)?.Findings.FirstOrDefault(f => f.IsError);
        return new ProcessStanding(
            part,
            standing switch
            {
                { IsStandby: true } => "standby",
                // That it tries again, for a moment, is no other standing.
                { State: RetryState.Retrying } => "waiting",
                _ => status.State,
            },
            status.Since ?? begun,
            status.Kind,
            status.Gap,
            error?.Message ?? status.Reason,
            error?.Remedy ?? status.Remedy
        );
    }

    /// <summary>
    /// A statement that does nothing: a session that has sent it shows it in pg_stat_activity for as long as it is idle. So it is told
    /// without a table, which an engine that takes no writes, or that has no tables of ours, would not take it in.
    /// </summary>
    public string ToStatement()
    {
        var words = string.Create(
            CultureInfo.InvariantCulture,
            $"{Part} {State} {Since?.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} {Kind ?? "-"} {Gap ?? "-"}"
        );
        // Every session of ours has standard_conforming_strings on.
        return $"{Begin}{words}\n{Fitting(Remedy, MostRemedy)}\n{Fitting(Reason, MostReason)}'";
    }

    /// <param name="statement">As pg_stat_activity shows it, perhaps cut off; null: who asks may not see it.</param>
    /// <returns>Null: it is none of ours.</returns>
    public static ProcessStanding? Parse(string? statement)
    {
        if (statement is null || !statement.StartsWith(Begin, StringComparison.Ordinal))
            return null;
        var lines = Unquoted(statement[Begin.Length..]).Split('\n', 3);
        if (
            lines[0].Split(' ') is not [var part, var state, var since, .. var more]
            || !DateTimeOffset.TryParse(since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
        )
            return null;
        // Of a line that was cut off the last word may be half of one.
        if (lines.Length == 1)
            more = [.. more.SkipLast(1)];
        return new ProcessStanding(
            part,
            state,
            at,
            Word(more.ElementAtOrDefault(0)),
            Word(more.ElementAtOrDefault(1)),
            Text(lines, 2),
            Text(lines, 1)
        );
    }

    private static string? Word(string? text) => text is "-" or "" ? null : text;

    private static string? Text(string[] lines, int line) => lines.Length > line && lines[line].Length > 0 ? lines[line] : null;

    /// <summary>The end of the literal is a quote that is not doubled; cut off, it has none.</summary>
    private static string Unquoted(string text)
    {
        var quotes = text.Length - text.TrimEnd('\'').Length;
        return (quotes % 2 == 1 ? text[..^1] : text).Replace("''", "'", StringComparison.Ordinal);
    }

    /// <summary>On one line.</summary>
    private static string Fitting(string? text, int most)
    {
        var line = string.Join(' ', (text ?? "").Replace('\0', ' ').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        var whole = line.Length <= most;
        if (!whole)
            line = line[..(char.IsHighSurrogate(line[most - 1]) ? most - 1 : most)] + "…";
        return line.Replace("'", "''", StringComparison.Ordinal);
    }
}
