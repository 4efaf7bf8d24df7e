namespace Cdc.Core.Postgres;

/// <summary>Names of engine column types.</summary>
public static class EngineTypeName
{
    /// <summary>True if both names mean the same type, such as <c>int8</c> and <c>bigint</c>.</summary>
    public static bool AreEqual(string declared, string catalog) =>
        declared == catalog || (SqlTypeName.Parse(declared) is { } a && SqlTypeName.Parse(catalog) is { } b && a == b);
}
