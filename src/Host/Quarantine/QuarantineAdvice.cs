using Cdc.Core.Entities;
using Cdc.Expressions.Rows;
using Npgsql;

namespace Cdc.Host.Quarantine;

/// <summary>Explains an entry: which rule or type refused the row, and what can be done about it.</summary>
internal static class QuarantineAdvice
{
    public static string Explain(string reason, EntityDeclaration? entity) =>
        entity?.Rules.FirstOrDefault(r => r.Name == reason) is { } rule
            ? $"rule {rule.Name} of {entity.Name} demands: {rule.Check} ({rule.Message})"
        : SqlState(reason) is { } refused ? refused
        : Generated(reason, entity) is { } type ? $"the type of the engine's column demands: {type.Check} ({type.Message})"
        : $"{reason} (neither a rule of the declaration or its types, nor an SQLSTATE known here)";

    /// <summary>A rule that nothing declares: it follows from the type of an engine's column.</summary>
    private static RowRule? Generated(string reason, EntityDeclaration? entity) =>
        entity is null ? null : RowTransform.Compile(entity).Rules.FirstOrDefault(r => r.Name == reason);

    public static IEnumerable<string> WhatToDo(string entity, long key) =>
        [
            "Fix the row in Odoo: the change is then applied, and this entry closes.",
            "Delete the row in Odoo: this entry closes.",
            $"If the rule or the engine's column was changed instead: cdc quarantine retry {entity} {KeyText.Of(key)}   (the row is read again from "
                + "Odoo)",
            $"To accept that the engine keeps the row it had, or none: cdc quarantine discard {entity} {KeyText.Of(key)}",
        ];

    private static string? SqlState(string reason) =>
        reason switch
        {
            PostgresErrorCodes.NotNullViolation => "23502: a column that the engine needs is NULL in Odoo",
            PostgresErrorCodes.CheckViolation => "23514: a CHECK constraint of the engine's table refuses the row",
            PostgresErrorCodes.UniqueViolation => "23505: another row of the engine has the same unique value",
            PostgresErrorCodes.ForeignKeyViolation => "23503: the row names another one that the engine does not have",
            PostgresErrorCodes.StringDataRightTruncation => "22001: a text is longer than the engine's column",
            PostgresErrorCodes.NumericValueOutOfRange => "22003: a number does not fit the engine's column",
            PostgresErrorCodes.DatetimeFieldOverflow => "22008: a time does not fit the engine's column",
            PostgresErrorCodes.InvalidTextRepresentation => "22P02: a value cannot be read as the engine column's type",
            PostgresErrorCodes.UntranslatableCharacter => "22P05: the engine's encoding has no such character",
            PostgresErrorCodes.ProgramLimitExceeded => "54000: a value is too long for an index of the engine, or the row for a page",
            PostgresErrorCodes.RaiseException => "P0001: a trigger or function of the engine refuses the row",
            PostgresErrorCodes.CharacterNotInRepertoire => "22021: a text is not valid in the engine's encoding",
            _ => null,
        };
}
