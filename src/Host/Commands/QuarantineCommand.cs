using System.CommandLine;
using System.CommandLine.Parsing;
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

    public static Argument<long[]> KeysArgument() =>
        new("KEY")
        {
            Description = "Keys (Odoo's ids; of two columns with a comma: 6,1); none: all of the entity.",
            Arity = ArgumentArity.ZeroOrMore,
            CustomParser = result => [.. result.Tokens.Select(token => KeyOf(token.Value, result))],
        };

    public static Argument<long> KeyArgument() =>
        new("KEY")
        {
            Description = "Odoo's id of the row; of two columns with a comma: 6,1.",
            CustomParser = result => KeyOf(result.Tokens[0].Value, result),
        };

    private static long KeyOf(string text, ArgumentResult result)
    {
        if (KeyText.Parse(text) is { } key)
            return key;
        result.AddError($"'{text}' is not a key: write Odoo's id, such as 17, or those of two columns, such as 6,1.");
        return 0;
    }

    public static Option<bool> AllOption() => new("--all") { Description = "Every entry of every entity." };

    /// <exception cref="CdcException">Usage: neither an entity nor --all, or both.</exception>
    public static QuarantineFilter DemandFilter(
        CommandContext context,
        Configuration.CdcOptions options,
        string? entity,
        long[]? keys,
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

    public static QuarantineFilter Filter(CommandContext context, Configuration.CdcOptions options, string? entity, long[]? keys) =>
        new(entity is null ? null : context.Entity(options, entity).Name, keys ?? []);
}
