using System.CommandLine;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Engine.Migrations;
using Cdc.Engine.Ownership;
using Cdc.Expressions.Declaration;
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
    private static readonly Option<bool> Own = new("--own")
    {
        Description = "Only the migrations of the folder Entities:Migrations; --to and --down count these then.",
    };
    private static readonly Option<string?> Preset = new("--preset")
    {
        Description = "Only the tables of this preset, such as contacts; --to and --down count its migrations then.",
        HelpName = "NAME",
    };
    private static readonly Option<bool> Plan = new("--plan")
    {
        Description = "Print, as SQL, the tables of declared entities that no migration makes; change nothing.",
    };
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "migrate",
            """
            Create or upgrade the engine's tables: first ours, then those of included presets and of the folder Entities:Migrations.
            Repeating it changes nothing.

            Examples:
              cdc migrate                 everything that is pending
              cdc migrate --list
              cdc migrate --to 3
              cdc migrate --down 2        undo the versions above 2
              cdc migrate --plan > migrations/0001_stores.up.sql
              cdc migrate --own --down 0  undo all of Entities:Migrations
              cdc migrate --preset contacts --down 0
            """
        )
        {
            To,
            Down,
            List,
            Own,
            Preset,
            Plan,
            Yes,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        if (parsed.GetValue(To) is not null && parsed.GetValue(Down) is not null)
            throw new CdcException(FailureKind.Usage, "--to and --down cannot be combined.", "Give one of them.");
        if (parsed.GetValue(Own) && parsed.GetValue(Preset) is not null)
            throw new CdcException(FailureKind.Usage, "--own and --preset cannot be combined.", "Give one of them.");
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
        if (parsed.GetValue(Plan))
        {
            var known = ToPlan(engine, entities, options.Entities.Migrations);
            MigrationView.Write(await MigrationPlan.MakeAsync(engine, known, entities, ct), context.Terminal.Out);
            return;
        }
        var all = Preconditions.Migrators(engine, entities, options.Entities.Migrations, context.Terminal.Error.WriteLine);
        var migrators = parsed.GetValue(Preset) is { } preset
            ? [OfPreset(engine, preset, context.Terminal.Error.WriteLine)]
            : Chosen(all, parsed);
        if (parsed.GetValue(Down) is { } down)
            await DownAsync(context, migrators.Single(), down, parsed.GetValue(Yes), ct);
        else if (!parsed.GetValue(List))
        {
            await OdooDatabase.RefuseAsync(engine, entities, ct);
            foreach (var migrator in migrators)
                await migrator.UpAsync(parsed.GetValue(To), ct);
            // Their tables may be in a version above it.
            if (parsed.GetValue(To) is null)
            {
                await DeclaredAggregate.EnsureAsync(engine, entities, ct);
                await DeclaredOwnership.EnsureAsync(engine, entities, context.Terminal.Error.WriteLine, ct);
            }
        }
        await ShowAsync(context.Terminal, parsed.GetValue(Own) || parsed.GetValue(Preset) is not null ? migrators : all, ct);
    }

    /// <summary>The file that the plan is written to may be in the folder already, empty and without its other half.</summary>
    private static IReadOnlyList<Migrator> ToPlan(NpgsqlDataSource engine, EntitySet entities, string own)
    {
        try
        {
            return Preconditions.Migrators(engine, entities, own);
        }
        catch (FindingsException) when (own.Length > 0)
        {
            return Preconditions.Migrators(engine, entities, "");
        }
    }

    /// <summary>Also of one that is not included any more: its tables are there until they are taken back.</summary>
    private static Migrator OfPreset(NpgsqlDataSource engine, string preset, Action<string> notice) =>
        Preconditions.OfPreset(engine, preset, notice)
        ?? throw new CdcException(
            FailureKind.Usage,
            $"There is no preset '{preset}' with tables of its own.",
            NearestName.Remedy(preset, Presets.Names.Where(n => Presets.MigrationsOf(n) is not null), "Those with some")
        );

    /// <summary>A number belongs to one series: without --own to ours.</summary>
    private static IReadOnlyList<Migrator> Chosen(IReadOnlyList<Migrator> all, ParseResult parsed)
    {
        if (parsed.GetValue(Own))
            return all is [.., { Series.IsOwn: true } own]
                ? [own]
                : throw new CdcException(
                    FailureKind.Usage,
                    "There are no migrations of your own: Entities:Migrations names no folder.",
                    "export CDC__Entities__Migrations=FOLDER, or leave --own out."
                );
        return parsed.GetValue(To) is null && parsed.GetValue(Down) is null ? all : [all[0]];
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
                    $"version {m.Migration.Version} ({m.Migration.Name}) of {(migrator.Series.Preset is { } preset ? $"the tables of {preset}" : "the engine's schema")} is undone: what it created is dropped, "
                    + "with its rows"
                )
                .Append("Odoo is not touched; 'cdc migrate' and 'cdc run' build everything again"),
            yes
        );
        await migrator.DownAsync(to, ct);
    }

    private static async Task ShowAsync(Terminal terminal, IReadOnlyList<Migrator> migrators, CancellationToken ct)
    {
        List<MigrationStatus> series = [];
        foreach (var migrator in migrators)
            series.Add(await migrator.StatusAsync(ct));
        MigrationView.Table(series).Write(terminal);
    }
}
