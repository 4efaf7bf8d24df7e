using System.CommandLine;
using Cdc.Capture.Checks;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Engine.Migrations;
using Cdc.Expressions.Declaration;
using Cdc.Host.Configuration;
using Cdc.Host.Entities;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

/// <summary>The declarations that come with the program, and proposals for tables of one's own.</summary>
internal static class EntitiesCommand
{
    private static readonly Argument<string[]> Tables = new("TABLE")
    {
        Description = "Tables of the source, with or without schema.",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<string?> Out = new("--out")
    {
        Description = "Write entities.json and migrations/0001_….sql there, where neither is yet; otherwise the declaration is printed.",
        HelpName = "FOLDER",
    };

    public static Command Create(CommandHost host) =>
        new("entities", "The declaration: presets for each Odoo, and proposals for further tables.")
        {
            new ExplainedCommand(
                "list",
                """
                List the presets that come with this program, and what each of them follows.

                Examples:
                  cdc entities list
                  CDC__Entities=odoo-18 cdc check
                """
            ).Runs(host, List),
            new ExplainedCommand(
                "propose",
                """
                Read tables of the source's catalog and write a declaration of them, and the migration of their engine tables. It includes the
                preset that fits the Odoo that is found there.

                Examples:
                  cdc entities propose res_partner
                  cdc entities propose res_partner product_template --out loyalty
                  CDC__Entities=loyalty/entities.json CDC__Entities__Migrations=loyalty/migrations cdc migrate
                """
            )
            {
                Tables,
                Out,
            }.Runs(host, ProposeAsync),
        };

    private static Task<int> List(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var table = new TextTable("preset", "follows");
        foreach (var name in Presets.Names)
            table.Add(name, string.Join(", ", EntityFile.Load(name).All.Select(e => $"{e.Name} ({e.SourceTable})")));
        table.Write(context.Terminal);
        return Task.FromResult(ExitCodes.Success);
    }

    private static async Task<int> ProposeAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Source);
        await using var source = CommandContext.Source(options);
        var (tables, odoo) = await source.UseAsync(
            async connection =>
            {
                var read = new List<LiveTable>();
                foreach (var written in parsed.GetValue(Tables)!.Distinct())
                    read.Add(await LiveTable.ReadAsync(connection, written, ct));
                return (read, await OdooInstallation.FindAsync(options.Source, ct));
            },
            ct
        );
        var include = Presets.IsName(options.Entities.File, "") ? options.Entities.File : odoo?.Preset;
        var declaration = new ProposedDeclaration(tables, include).Write();
        var entities = EntityFile.Parse(declaration, "entities.json", options.Entities.Settings);
        if (parsed.GetValue(Out) is { } folder)
            Save(context.Terminal, folder, declaration, [.. tables.Select(t => entities.Find(ProposedDeclaration.NameOf(t))!)]);
        else
            context.Terminal.Out.Write(declaration);
        return ExitCodes.Success;
    }

    private static void Save(Terminal terminal, string folder, string declaration, IReadOnlyList<EntityDeclaration> proposed)
    {
        var stem = Path.Combine(folder, "migrations", "0001_" + string.Join('_', proposed.Select(e => e.Name).Take(3)));
        (string Path, string Text)[] files =
        [
            (Path.Combine(folder, "entities.json"), declaration),
            (stem + ".up.sql", string.Join(Environment.NewLine, proposed.Select(DeclaredTable.Plan))),
            (stem + ".down.sql", string.Concat(proposed.Select(e => $"DROP TABLE {e.EngineName};{Environment.NewLine}"))),
        ];
        if (files.FirstOrDefault(f => File.Exists(f.Path)).Path is { } there)
            throw new CdcException(FailureKind.Refused, $"{there} is there already. Nothing was written.", "Name another folder in --out.");
        Directory.CreateDirectory(Path.Combine(folder, "migrations"));
        foreach (var (path, text) in files)
        {
            File.WriteAllText(path, text);
            terminal.Out.WriteLine(path);
        }
        terminal.Error.WriteLine(
            $"Read them. Then: export CDC__Entities__File={files[0].Path} CDC__Entities__Migrations={Path.Combine(folder, "migrations")}; cdc grants source; cdc migrate; cdc check"
        );
    }
}
