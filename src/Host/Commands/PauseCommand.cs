using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Cdc.Capture.Source;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Slots;
using Cdc.Host.Terminals;
using Npgsql;

namespace Cdc.Host.Commands;

/// <summary>
/// Odoo's database manager can duplicate, rename and drop a database in which nobody has a session. A slot that nobody reads is in nobody's
/// way: it stays, so that nothing is missed.
/// </summary>
internal static partial class PauseCommand
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    /// <summary>A fetch of a chunk, or a comparison by hand, may take its time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly Option<bool> Release = new("--release")
    {
        Description = "End all sessions of cdc in Odoo's database, and let nobody of cdc in.",
    };
    private static readonly Option<string> For = new("--for")
    {
        Description = "For so long at most, such as 90s, 10m or 2h; it is taken up again by itself then.",
        HelpName = "TIME",
        DefaultValueFactory = _ => "30m",
    };

    // Whichever role they have: a process that only compares may have one of its own.
    private const string SessionsSql = """
        SELECT pid, application_name FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND (application_name ~ '^cdc( |$)' OR application_name = $1) ORDER BY pid
        """;

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "pause",
            """
            Let go of Odoo's database for a while, so that its manager can duplicate, rename or drop it. Ends when no session is left there.

            Balances are served all the same, and grow old. The slot stays, and keeps the WAL of this time: nothing is missed. It is taken up
            again by 'cdc resume', or by itself when the time is over. Given again, the time begins anew.
            Runbook: ops/runbooks/database-manager.md

            Examples:
              cdc pause --release
              cdc pause --release --for 2h
              cdc resume
            """
        )
        {
            Release,
            For,
        }.Runs(host, RunAsync);

    /// <exception cref="CdcException">Usage.</exception>
    internal static TimeSpan Parse(string text)
    {
        var match = TimePattern().Match(text);
        var time = match.Success
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
                * (
                    match.Groups[2].Value switch
                    {
                        "s" => TimeSpan.FromSeconds(1),
                        "m" => TimeSpan.FromMinutes(1),
                        _ => TimeSpan.FromHours(1),
                    }
                )
            : TimeSpan.Zero;
        return time > TimeSpan.Zero && time <= Longest
            ? time
            : throw new CdcException(
                FailureKind.Usage,
                $"--for {text} is no time from 1s to 24h.",
                "Such as --for 90s, --for 10m, --for 2h."
            );
    }

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var time = Parse(parsed.GetValue(For)!);
        if (!parsed.GetValue(Release))
            throw new CdcException(
                FailureKind.Usage,
                "'cdc pause' lets go of Odoo's database, with all sessions there.",
                "Say so: cdc pause --release. To stop cdc itself, end 'cdc run' (SIGTERM): it goes on where it was when it is started."
            );
        var options = context.Options(Needs.Both);
        var by = $"{Environment.UserName}@{Environment.MachineName}";
        var until =
            await EngineErrors.GuardAsync(() => new SourceTable(options.Engine).PauseAsync(time, by, ct))
            ?? throw SlotRefusals.NothingFollowed();
        context.Terminal.Error.WriteLine($"Paused until {Quantity.Time(until)}; waiting for sessions to end …");
        var left = await SourceFailure.GuardAsync(() => SessionsAfterAsync(options, context.Time, ct));
        if (left.Count > 0)
            throw new CdcException(
                FailureKind.Unavailable,
                $"These sessions of cdc are in Odoo's database still: {string.Join(", ", left.Select(s => $"{s.Pid} ({s.Name})"))}.",
                "End the command that has them (a comparison by hand?), or: "
                    + string.Join(" ", left.Select(s => $"SELECT pg_terminate_backend({s.Pid});"))
                    + " New ones do not begin. 'cdc resume' ends the pause."
            );
        context.Terminal.Out.WriteLine(
            $"no session of cdc is in Odoo's database; it is taken up again at {Quantity.Time(until)}, or by 'cdc resume'"
        );
        return ExitCodes.Success;
    }

    /// <returns>Sessions that are there although time was given; this command's own has ended.</returns>
    private static async Task<IReadOnlyList<(int Pid, string Name)>> SessionsAfterAsync(
        CdcOptions options,
        TimeProvider time,
        CancellationToken ct
    )
    {
        var settings = ServerTimeouts.Settings(options.Source.ConnectionString);
        var name = settings.ApplicationName ?? "cdc";
        (settings.Pooling, settings.ApplicationName) = (false, "cdc");
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenPinnedAsync(ct);
        var begun = time.GetTimestamp();
        while (true)
        {
            var sessions = await connection.Statement(SessionsSql, name).RowsAsync(row => (row.GetInt32(0), row.GetString(1)), ct);
            if (sessions.Count == 0 || time.GetElapsedTime(begun) > Patience)
                return sessions;
            await Task.Delay(Poll, time, ct);
        }
    }

    [GeneratedRegex("^([0-9]{1,6})([smh])$")]
    private static partial Regex TimePattern();
}
