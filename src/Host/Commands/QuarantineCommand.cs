using System.CommandLine;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Host.Quarantine;

namespace Cdc.Host.Commands;

/// <summary>The group, and the filter that its commands share.</summary>
internal static class QuarantineCommand
{
    public static Command Create(CommandHost host) =>
        new("quarantine", "Rows that could not be applied: nothing is lost, everything else continues.")
        {
            QuarantineListCommand.Create(host),
            QuarantineShowCommand.Create(host),
            QuarantineRetryCommand.Create(host),
            QuarantineDiscardCommand.Create(host),
        };

    public static Argument<string?> EntityArgument() =>
        new("ENTITY") { Description = "Entity or table; none: all.", Arity = ArgumentArity.ZeroOrOne };

    public static Argument<string[]> KeysArgument() =>
        new("KEY")
        {
            Description = "Keys (Odoo's ids; of several columns with commas: 6,1); none: all of the entity.",
            Arity = ArgumentArity.ZeroOrMore,
        };

    public static Argument<string> KeyArgument() =>
        new("KEY") { Description = "Odoo's id of the row; of several columns with commas: 6,1." };

    /// <exception cref="CdcException">Usage: it is no key of the entity.</exception>
    public static long KeyOf(string text, EntityDeclaration entity) =>
        KeyText.Parse(text, entity)
        ?? throw new CdcException(
            FailureKind.Usage,
            $"'{text}' is not a key.",
            "Write Odoo's id, such as 17, or those of two columns, such as 6,1."
        );

    public static Option<bool> AllOption() => new("--all") { Description = "Every entry of every entity." };

    /// <exception cref="CdcException">Usage: neither an entity nor --all, or both.</exception>
    public static QuarantineFilter DemandFilter(
        CommandContext context,
        Configuration.CdcOptions options,
        string? entity,
        string[]? keys,
        bool all
    )
    {
        if (all == entity is not null)
            throw new CdcException(
                FailureKind.Usage,
                "The command does not say which entries are meant.",
                "Give an entity (and keys), or --all."
            );
        return Filter(context, options, entity, keys);
    }

    public static QuarantineFilter Filter(CommandContext context, Configuration.CdcOptions options, string? entity, string[]? keys) =>
        entity is null ? new(null, []) : Filter(context.Entity(options, entity), keys ?? []);

    private static QuarantineFilter Filter(EntityDeclaration entity, string[] keys) =>
        new(entity.Name, [.. keys.Select(key => KeyOf(key, entity))]);
}
