using System.CommandLine;
using Cdc.Api.Security;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

/// <summary>Keys of the Api. A key's text is shown once and kept nowhere.</summary>
internal static class KeysCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The client that uses it, such as pos or grafana." };
    private static readonly Argument<string> KeyOrName = new("KEY") { Description = "The key's id, or the name of one or more." };
    private static readonly Option<string[]> Scope = new("--scope")
    {
        Description = "read (if none is given), operate, cutover; may be repeated.",
        HelpName = "SCOPE",
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<int?> Rate = new("--rate")
    {
        Description = "Requests a second; otherwise Api:RequestsPerSecond.",
        HelpName = "N",
    };
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new("keys", "Keys of the Api: once there is one, every request needs a key.")
        {
            new ExplainedCommand(
                "create",
                """
                Make a key. Its text is the last line, shown now and never again.

                Examples:
                  cdc keys create pos
                  cdc keys create on-call --scope read --scope operate
                """
            )
            {
                Name,
                Scope,
                Rate,
            }.Runs(host, CreateAsync),
            new ExplainedCommand("list", "List keys, revoked ones too. Their texts are not known.") { AsJson }.Runs(host, ListAsync),
            new ExplainedCommand(
                "revoke",
                """
                Revoke a key. It stops working at once, wherever it is in use.

                Examples:
                  cdc keys revoke 4f7c01d2a9be
                  cdc keys revoke pos
                """
            )
            {
                KeyOrName,
            }.Runs(host, RevokeAsync),
        };

    private static async Task<int> CreateAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var scopes = parsed.GetValue(Scope) is { Length: > 0 } given ? given.Distinct().ToArray() : [Scopes.Read];
        if (scopes.Except(Scopes.All).FirstOrDefault() is { } unknown)
            throw new CdcException(FailureKind.Usage, $"There is no scope '{unknown}'.", $"Scopes: {string.Join(", ", Scopes.All)}.");
        if (string.IsNullOrWhiteSpace(parsed.GetRequiredValue(Name)))
            throw new CdcException(FailureKind.Usage, "A key needs a name.", "Name it after the client that uses it: cdc keys create pos");
        if (parsed.GetValue(Rate) is < 1)
            throw new CdcException(FailureKind.Usage, "--rate must be at least 1.", "Leave it out for Api:RequestsPerSecond.");
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var (text, key) = await engine.UseAsync(
            c => KeyTable.CreateAsync(c, parsed.GetRequiredValue(Name), scopes, parsed.GetValue(Rate), ct),
            ct
        );
        context.Terminal.Error.WriteLine(
            $"key {key.Id} of {key.Name} may: {string.Join(", ", key.Scopes)}. Its text follows; it is kept nowhere."
        );
        context.Terminal.Out.WriteLine(text);
        return ExitCodes.Success;
    }

    private static async Task<int> ListAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var keys = await engine.UseAsync(c => KeyTable.ListAsync(c, ct), ct);
        if (parsed.GetValue(AsJson))
        {
            context.Terminal.Out.WriteLine(Json.Document(new { keys }));
            return ExitCodes.Success;
        }
        var grid = new TextTable("id", "name", "scopes", "requests/s", "created", "by", "revoked");
        foreach (var k in keys)
            grid.Add(
                k.Id,
                k.Name,
                string.Join(" ", k.Scopes),
                k.RequestsPerSecond?.ToString() ?? "-",
                Quantity.Time(k.CreatedAt),
                k.CreatedBy,
                Quantity.Time(k.RevokedAt)
            );
        grid.Write(context.Terminal);
        return ExitCodes.Success;
    }

    private static async Task<int> RevokeAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var revoked = await engine.UseAsync(c => KeyTable.RevokeAsync(c, parsed.GetRequiredValue(KeyOrName), ct), ct);
        if (revoked == 0)
            throw new CdcException(FailureKind.Usage, "No key with that id or name can be revoked.", "cdc keys list");
        context.Terminal.Out.WriteLine($"{revoked} key(s) revoked");
        return ExitCodes.Success;
    }
}
