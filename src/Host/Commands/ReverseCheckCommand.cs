using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;
using Cdc.Odoo;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Ways;

namespace Cdc.Host.Commands;

/// <summary>Whether Odoo can be called, and which ways into it there are.</summary>
internal static class ReverseCheckCommand
{
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "check",
            """
            Check whether Odoo answers, its version, the key and when it ends, and which way into it is possible and why. Changes nothing.

            Exit code 4 where no way is possible.

            Examples:
              cdc reverse check
              cdc reverse check --json
            """
        )
        {
            AsJson,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.None).Odoo;
        using var odoo = await OdooClient.ConnectAsync(options, context.Time, context.Log, ct);
        var user = await odoo.UserAsync(ct);
        var expiry = await odoo.KeyExpiryAsync(ct);
        var ways = await new WaysCheck(odoo).FindAsync(options.Action > 0 ? options.Action : null, ct);
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(
                Json.Document(
                    new
                    {
                        version = odoo.Version.ToString(),
                        protocol = odoo.Protocol,
                        user,
                        keyEnds = expiry.At,
                        keyEndIsKnown = expiry.IsKnown,
                        ways,
                    }
                )
            );
        else
            Write(context.Terminal.Out, odoo, user, expiry, ways);
        return ways.Any(w => w.IsPossible != false) ? ExitCodes.Success : ExitCodes.Of(FailureKind.Preflight);
    }

    private static void Write(TextWriter writer, OdooClient odoo, long user, KeyExpiry expiry, IReadOnlyList<WayFinding> ways)
    {
        writer.WriteLine($"Odoo {odoo.Version} over {(odoo.Protocol == OdooProtocol.Json2 ? "JSON-2" : "JSON-RPC")}, as user {user}");
        writer.WriteLine(
            expiry switch
            {
                { IsKnown: true, At: null } => "the key has no end",
                { IsKnown: true } => $"the key ends at {Quantity.Time(expiry.At!.Value.UtcDateTime)}",
                _ => $"when the key ends is not known: {expiry.Why}",
            }
        );
        foreach (var way in ways)
        {
            writer.WriteLine($"{way.Way.ToString().ToLowerInvariant()}: {Possible(way.IsPossible)}. {way.Why}");
            if (way.Remedy.Length > 0)
                writer.WriteLine($"  -> {way.Remedy}");
        }
    }

    private static string Possible(bool? possible) =>
        possible switch
        {
            true => "possible",
            false => "not possible",
            null => "not known",
        };
}
