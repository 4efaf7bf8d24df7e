using System.CommandLine;
using Cdc.Capture;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Engine.Privileges;
using Cdc.Host.Configuration;
using Cdc.Reconcile;

namespace Cdc.Host.Commands;

/// <summary>What the role is used for: that decides its rights.</summary>
internal enum GrantPurpose
{
    Run,
    Migrate,
    Reconcile,
}

/// <summary>Prints SQL, or commands for Kafka, and connects to nothing.</summary>
internal static class GrantsCommand
{
    /// <summary>PostgreSQL cuts a longer one off without an error.</summary>
    private const int LongestName = 63;

    public static Command Create(CommandHost host) =>
        new("grants", "Print the SQL, or the commands for Kafka, that give roles what they need, and no more.")
        {
            Create(
                host,
                "source",
                """
                Print the SQL for a role in Odoo's database, with the publication of the declared tables. It may be run again.

                Examples:
                  cdc grants source | psql -h odoo-db -U postgres odoo
                  cdc grants source --role cdc_blue --role cdc_green
                  cdc grants source --for reconcile
                  cdc grants source --read-all      where backups of Odoo are restored on other servers
                """,
                Source
            ),
            Create(
                host,
                "engine",
                """
                Print the SQL for a role in the engine's database. It may be run again, and is after a migration that adds tables.

                Examples:
                  cdc grants engine --for migrate | psql -h engine-db -U postgres loyalty     before 'cdc migrate'
                  cdc grants engine | psql -h engine-db -U postgres loyalty                   after it
                  cdc grants engine --for reconcile --role auditor
                """,
                Engine
            ),
            GrantsKafkaCommand.Create(host),
        };

    private static ExplainedCommand Create(
        CommandHost host,
        string server,
        string text,
        Func<CdcOptions, EntitySet, GrantPurpose, string[], bool, string> script
    )
    {
        // Each command has options of its own: the library keeps one parent for each.
        var role = new Option<string[]>("--role")
        {
            Description = "Gets the rights, and is made where there is none of that name. May be given several times.",
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true,
        };
        var purpose = new Option<GrantPurpose>("--for")
        {
            Description = "What the role is used for: run, migrate (engine), or reconcile (a process that only compares).",
            HelpName = "PURPOSE",
        };
        var readAll = new Option<bool>("--read-all")
        {
            Description = "Reading by membership in pg_read_all_data: backups of Odoo carry no rights then, and every table may be read.",
        };
        var command = new ExplainedCommand(server, text) { role, purpose };
        if (server == "source")
            command.Options.Add(readAll);
        command.Runs(
            host,
            (context, parsed, _) =>
            {
                var roles = parsed.GetValue(role) ?? [];
                Check(roles);
                var options = context.Options(Needs.None);
                context.Terminal.Out.Write(
                    script(options, context.Entities(options), parsed.GetValue(purpose), roles, parsed.GetValue(readAll))
                );
                return Task.FromResult(ExitCodes.Success);
            }
        );
        return command;
    }

    private static string Source(CdcOptions options, EntitySet entities, GrantPurpose purpose, string[] roles, bool readAll) =>
        purpose switch
        {
            GrantPurpose.Run => SourceGrants.ToFollow(options.Source.Publication, entities, Named(roles, "cdc_source"), readAll),
            GrantPurpose.Reconcile => SourceGrants.ToCompare(entities, Named(roles, "cdc_reconcile_source"), readAll),
            _ => throw new CdcException(
                FailureKind.Usage,
                "'cdc migrate' changes nothing at the source: it needs no role there.",
                "cdc grants engine --for migrate"
            ),
        };

    private static string Engine(CdcOptions options, EntitySet entities, GrantPurpose purpose, string[] roles, bool _) =>
        purpose switch
        {
            GrantPurpose.Run => EngineGrants.ToApply(entities, Named(roles, "cdc_engine")),
            GrantPurpose.Migrate => EngineGrants.ToMigrate(Named(roles, "cdc_owner")),
            _ => EngineGrants.ToCompare(entities, Named(roles, "cdc_reconcile_engine"), ReconcileGrants.Add),
        };

    private static string[] Named(string[] roles, string otherwise) => roles.Length > 0 ? roles : [otherwise];

    private static void Check(string[] roles)
    {
        if (roles.FirstOrDefault(r => r.Length is 0 or > LongestName) is { } wrong)
            throw new CdcException(
                FailureKind.Usage,
                $"'{wrong}' is no name of a role: PostgreSQL takes 1 to {LongestName} characters.",
                "Give another --role."
            );
    }
}
