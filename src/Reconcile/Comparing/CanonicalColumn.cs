using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Entities.Expressions;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// One engine column in the form in which the two sides are compared: the same value gives the same form on both, whatever collation, scale,
/// time zone or display settings the servers have; NULL stays NULL. Texts are SQL over the source's columns, or over the engine's.
/// </summary>
/// <param name="HashFunction">PostgreSQL's hash of the forms' type; takes a form and a 64-bit seed.</param>
/// <param name="SourceText">What a person reads, in the engine's type.</param>
/// <param name="Scale">Of money: both forms are bigint, in units of 10^-Scale. Null: no money.</param>
internal sealed record CanonicalColumn(string Name, string HashFunction, string SourceForm, string EngineForm, string SourceText, string EngineText, int? Scale)
{
    private const string HashInteger = "hashint8extended";
    private const string HashText = "hashtextextended";
    /// <summary>10^18 is the largest power of ten in a bigint.</summary>
    private const int MostDigits = 18;
    /// <summary>Digits of which a double gives back every one.</summary>
    private const int ExactDigits = 15;

    /// <param name="doubles">Source columns of which the source's catalog says that they are double precision (float4 rounds otherwise).</param>
    public static CanonicalColumn Of(EngineColumn column, IReadOnlySet<string> doubles)
    {
        var type = SqlTypeName.Parse(column.Type)!.Value;
        var (value, name) = ($"({column.Value})", Sql.Identifier(column.Name));
        return type switch
        {
            { Family: SqlFamily.Numeric, Precision: > 0 and <= MostDigits } => OfMoney(column, type, doubles),
            { Family: SqlFamily.Numeric } => OfNumeric(column, type),
            { Family: SqlFamily.Integer } => Alike(HashInteger, "{0}::bigint", "{0}::bigint::text"),
            { Family: SqlFamily.Boolean } => Alike(HashInteger, "{0}::boolean::integer", "{0}::boolean::text"),
            { Family: SqlFamily.Float } => Alike("hashfloat8extended", "{0}::float8", "{0}::float8::text"),
            { Family: SqlFamily.Text } => Alike(HashText, "{0}::text COLLATE \"C\"", "{0}::text"),
            { Family: SqlFamily.Date } => Alike("timestamp_hash_extended", "{0}::date::timestamp", "{0}::date::text"),
            { Family: SqlFamily.Timestamp } => Alike("timestamp_hash_extended", "{0}::timestamp", "{0}::timestamp::text"),
            _ => Alike("timestamp_hash_extended", "{0}::timestamptz AT TIME ZONE 'UTC'", "{0}::timestamptz::text") is var tz && UtcColumn(column) is { } inner
                ? tz with { SourceForm = inner }
                : tz,
        };

        CanonicalColumn Alike(string hash, string form, string text) =>
            new(column.Name, hash, Format(form, value), Format(form, name), Format(text, value), Format(text, name), null);
    }

    /// <summary>Seed and hash: 0 for NULL, which no value's hash is but by chance, and not the hash of an empty text.</summary>
    public string Hash(string form, string seed) => $"coalesce({HashFunction}({form}, {seed}), 0)";

    // hash_numeric_extended leaves the sign out (seen on 15: 1.5 and -1.5 are alike), and a numeric made of a double costs more than the
    // rest of the row: so money is compared as a number of cents.
    private static CanonicalColumn OfMoney(EngineColumn column, SqlType type, IReadOnlySet<string> doubles)
    {
        var rounded = IsRounded(column, type.Scale) ? column.Value : $"round(({column.Value})::numeric, {type.Scale})";
        var name = Sql.Identifier(column.Name);
        var units = Power(type.Scale);
        var exact = $"({rounded} * {units})::bigint";
        return new CanonicalColumn(column.Name, HashInteger, RoundedDouble(column, type.Scale, doubles) is { } money ? Cents(money, type.Scale, exact) : exact,
            $"({name} * {units})::bigint", $"{rounded}::text", $"{name}::text", type.Scale);
    }

    /// <summary>
    /// Where the nearest number of cents has at most 15 digits and divided by 100 is this very double, those are the digits which PostgreSQL's
    /// cast to numeric keeps, and nothing is left to round. Any other double goes the long way.
    /// </summary>
    private static string Cents(string money, int scale, string exact)
    {
        var cents = $"round({money} * {Power(scale)}::float8)";
        return $"CASE WHEN abs({money}) < 1e{ExactDigits - scale}::float8 AND {cents} / {Power(scale)}::float8 = {money} THEN {cents}::bigint ELSE {exact} END";
    }

    private static bool IsRounded(EngineColumn column, int scale) =>
        Parser.Parse(column.Value) is CallSyntax { Function: "round", Arguments: [_, NumberSyntax digits] } && digits.Text == scale.ToString(CultureInfo.InvariantCulture);

    /// <summary>The column c of a value <c>round(c::numeric, scale)</c>, if it is a double.</summary>
    private static string? RoundedDouble(EngineColumn column, int scale, IReadOnlySet<string> doubles) =>
        scale <= ExactDigits && IsRounded(column, scale)
        && Parser.Parse(column.Value) is CallSyntax { Arguments: [CastSyntax { Operand: NameSyntax rounded, TypeName: "numeric" }, _] } && doubles.Contains(rounded.Name)
            ? Sql.Identifier(rounded.Name)
            : null;

    private static CanonicalColumn OfNumeric(EngineColumn column, SqlType type)
    {
        var rounded = type.Precision > 0 ? $"round(({column.Value})::numeric, {type.Scale})" : $"({column.Value})::numeric";
        var (source, engine) = ($"trim_scale({rounded})::text", $"trim_scale({Sql.Identifier(column.Name)})::text");
        return new CanonicalColumn(column.Name, HashText, source + " COLLATE \"C\"", engine + " COLLATE \"C\"", source, engine, null);
    }

    /// <summary>The column c of a value <c>c AT TIME ZONE 'UTC'</c>: as the form is UTC without zone, it is c itself.</summary>
    private static string? UtcColumn(EngineColumn column) =>
        Parser.Parse(column.Value) is TimeZoneSyntax { Operand: NameSyntax moment, Zone: "UTC" } ? Sql.Identifier(moment.Name) : null;

    private static string Power(int scale) => "1" + new string('0', scale);

    private static string Format(string form, string value) => string.Format(CultureInfo.InvariantCulture, form, value);
}
