using Cdc.Core.Postgres.Values;

namespace Cdc.Reconcile.Comparing;

public enum DriftKind
{
    /// <summary>The source has the row, the engine has not.</summary>
    Missing,

    /// <summary>The engine has the row, the source has not.</summary>
    Extra,

    /// <summary>A column has another value.</summary>
    Differing,

    /// <summary>What Odoo last had is equal, but the engine's own value is not that and its own changes: somebody wrote past their log.</summary>
    Unexplained,
}

/// <summary>One difference: a whole row, or one column of it.</summary>
/// <param name="Field">The engine's column; <see cref="WholeRow"/> for a row that one side has not, <see cref="Own"/> before one of the engine's own.</param>
/// <param name="OdooValue">What the declaration makes of the source, as text in the engine's type; of a whole row its columns as a JSON
/// object. Null for NULL, or no row.</param>
/// <param name="EngineValue">The same of the engine.</param>
public sealed record DriftRecord(string Entity, long Key, DriftKind Kind, string Field, string? OdooValue, string? EngineValue)
{
    public const string WholeRow = "*";

    /// <summary>Before a column's name: the engine's own value of it.</summary>
    public const string Own = "own.";
}
