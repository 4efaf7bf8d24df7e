using System.CommandLine;
using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Engine.Migrations;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;
using Cdc.Pipeline.Setup;
using Npgsql;

namespace Cdc.Host.Commands;

internal static class MigrateCommand
{
    private static readonly Option<int?> To = new("--to") { Description = "Apply versions up to and including N.", HelpName = "N" };
    private static readonly Option<int?> Down = new("--down")
    {
        Description = "Undo every version above N, newest first (0: all). Their tables and rows are dropped.",
        HelpName = "N",
    };
    private static readonly Option<bool> List = new("--list") { Description = "Only show the versions and which are applied." };
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "migrate",
            """
            Create or upgrade the engine's tables. Repeating it changes nothing.

            Examples:
              cdc migrate                 everything that is pending
              cdc migrate --list
              cdc migrate --to 3
              cdc migrate --down 2        undo the versions above 2
            """
        )
        {
            To,
            Down,
            List,
            Yes,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        if (parsed.GetValue(To) is not null && parsed.GetValue(Down) is not null)
            throw new CdcException(FailureKind.Usage, "--to and --down cannot be combined.", "Give one of them.");
        if (parsed.GetValue(Down) is < 0)
            throw new CdcException(FailureKind.Usage, "There is no version below 0.", "Give --down 0 to undo everything.");
        var options = context.Options(Needs.Engine);
        var entities = context.Entities(options);
        await EngineErrors.GuardAsync(() => MigrateAsync(context, options, entities, parsed, ct));
        return ExitCodes.Success;
    }

    private static async Task MigrateAsync(
        CommandContext context,
        CdcOptions options,
        EntitySet entities,
        ParseResult parsed,
        CancellationToken ct
    )
    {
        // A migration of a large table may take hours: no time-out.
        await using var engine = SessionSettings.Pool(ServerTimeouts.Settings(options.Engine.ConnectionString, commandSeconds: 0));
        var migrator = new Migrator(engine, Migration.ReadAll(Preconditions.MigrationsFolder), context.Terminal.Error.WriteLine);
        if (parsed.GetValue(Down) is { } down)
            await DownAsync(context, migrator, down, parsed.GetValue(Yes), ct);
        else if (!parsed.GetValue(List))
        {
            await OdooDatabase.RefuseAsync(engine, entities, ct);
            await migrator.UpAsync(parsed.GetValue(To), ct);
        }
        Show(context.Terminal, await migrator.StatusAsync(ct));
    }

    private static async Task DownAsync(CommandContext context, Migrator migrator, int to, bool yes, CancellationToken ct)
    {
        var undone = (await migrator.StatusAsync(ct))
            .Migrations.Where(m => m.AppliedAt is not null && m.Migration.Version > to)
            .Reverse()
            .ToList();
        if (undone.Count == 0)
        {
            context.Terminal.Error.WriteLine($"Nothing to undo: no version above {to} is applied.");
            return;
        }
        Confirmation.Obtain(
            context.Terminal,
            undone
                .Select(m =>
                    $"version {m.Migration.Version} ({m.Migration.Name}) of the engine's schema is undone: what it created is dropped, "
                    + "with its rows"
                )
                .Append("Odoo is not touched; 'cdc migrate' and 'cdc run' build everything again"),
            yes
        );
        await migrator.DownAsync(to, ct);
    }

    private static void Show(Terminal terminal, MigrationStatus status)
    {
        var grid = new TextTable("version", "name", "applied");
        foreach (var v in status.Migrations)
            grid.Add(
                v.Migration.Version.ToString(CultureInfo.InvariantCulture),
                v.Migration.Name,
                v.AppliedAt is null ? "pending" : Quantity.Time(v.AppliedAt)
            );
        foreach (var version in status.NewerThanProgram)
            grid.Add(version.ToString(CultureInfo.InvariantCulture), "?", "by a newer program");
        grid.Write(terminal);
    }
}
