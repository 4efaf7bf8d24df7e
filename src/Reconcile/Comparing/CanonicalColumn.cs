using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Expressions;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// One engine column in the form in which the two sides are compared: the same value gives the same form on both, whatever collation,
/// scale, time zone or display settings the servers have; NULL stays NULL. Texts are SQL over the source's columns, or over the engine's.
/// </summary>
/// <param name="SourceFunction">PostgreSQL's hash of the source form's type: takes a form and a 64-bit seed.</param>
/// <param name="EngineFunction">The same for the engine's form; equal values have equal hashes.</param>
/// <param name="SourceText">What a person reads, in the engine's type.</param>
/// <param name="Scale">Of money: both forms are bigint, in units of 10^-Scale. Null: no money.</param>
internal sealed record CanonicalColumn(
    string Name,
    string SourceFunction,
    string EngineFunction,
    string SourceForm,
    string EngineForm,
    string SourceText,
    string EngineText,
    int? Scale
)
{
    private const string HashInteger = "hashint8extended";
    private const string HashText = "hashtextextended";

    /// <summary>10^18 is the largest power of ten in a bigint.</summary>
    private const int MostDigits = 18;

    /// <summary>Digits before and after the point of which three more are kept.</summary>
    private const int ShortDigits = 12;

    /// <param name="types">By source column, the OID of its type in the source's catalog: a declared float may be float4, which rounds
    /// otherwise.</param>
    /// <param name="sameBytes">Both servers keep texts in one encoding. Else a text's hash is that of its bytes in UTF-8, which costs
    /// more.</param>
    public static CanonicalColumn Of(EngineColumn column, IReadOnlyDictionary<string, uint> types, bool sameBytes = true)
    {
        var type = SqlTypeName.Parse(column.Type)!.Value;
        var (value, name) = ($"({column.Value})", Sql.Identifier(column.Name));
        return type switch
        {
            { Family: SqlFamily.Numeric, Precision: > 0 and <= MostDigits } => OfMoney(column, type, types),
            { Family: SqlFamily.Numeric } => OfNumeric(column, type),
            // PostgreSQL hashes an int4 as it hashes the same int8 (they share hash indexes): no need to widen every value.
            { Family: SqlFamily.Integer } => Alike(HashInteger, "{0}::bigint", "{0}::bigint::text") is var integer
            && Column(column, types, TypeOids.Int4) is { } small
                ? integer with
                {
                    SourceFunction = "hashint4extended",
                    SourceForm = small,
                }
                : integer,
            { Family: SqlFamily.Boolean } => Alike(HashInteger, "{0}::boolean::integer", "{0}::boolean::text"),
            { Family: SqlFamily.Float } => Alike("hashfloat8extended", "{0}::float8", "{0}::float8::text"),
            { Family: SqlFamily.Text } => Alike(HashText, TextForm("{0}::text", sameBytes), "{0}::text"),
            // By its text, which differs wherever two values do: jsonb's own hash leaves out the sign and the decimals of its numbers.
            { Family: SqlFamily.Jsonb } => Alike(HashText, TextForm("{0}::jsonb::text", sameBytes), "{0}::jsonb::text"),
            { Family: SqlFamily.Date } => Alike("timestamp_hash_extended", "{0}::date::timestamp", "{0}::date::text"),
            { Family: SqlFamily.Timestamp } => Alike("timestamp_hash_extended", "{0}::timestamp", "{0}::timestamp::text"),
            // A named time zone would be looked up for every row.
            _ => Alike("timestamp_hash_extended", "{0}::timestamptz AT TIME ZONE INTERVAL '0'", "{0}::timestamptz::text") is var tz
            && UtcColumn(column) is { } inner
                ? tz with
                {
                    SourceForm = inner,
                }
                : tz,
        };

        CanonicalColumn Alike(string hash, string form, string text) =>
            new(column.Name, hash, hash, Format(form, value), Format(form, name), Format(text, value), Format(text, name), null);
    }

    /// <summary>Seed and hash: 0 for NULL, which no value's hash is but by chance, and not the hash of an empty text.</summary>
    public string SourceHash(string seed) => $"coalesce({SourceFunction}({SourceForm}, {seed}), 0)";

    public string EngineHash(string seed) => $"coalesce({EngineFunction}({EngineForm}, {seed}), 0)";

    // hash_numeric_extended leaves the sign out (seen on 15: 1.5 and -1.5 are alike), and a numeric made of a double costs more than the
    // rest of the row: so money is compared as a number of cents.
    private static CanonicalColumn OfMoney(EngineColumn column, SqlType type, IReadOnlyDictionary<string, uint> types)
    {
        var rounded = IsRounded(column, type.Scale) ? column.Value : $"round(({column.Value})::numeric, {type.Scale})";
        var name = Sql.Identifier(column.Name);
        var units = Power(type.Scale);
        var exact = $"({rounded} * {units})::bigint";
        return new CanonicalColumn(
            column.Name,
            HashInteger,
            HashInteger,
            RoundedDouble(column, type.Scale, types) is { } money ? Cents(money, type.Scale, exact) : exact,
            $"({name} * {units})::bigint",
            $"{rounded}::text",
            $"{name}::text",
            type.Scale
        );
    }

    /// <summary>
    /// PostgreSQL's cast to numeric keeps 15 digits of a double. Where three or more of them come after the cents, and the double is not
    /// near the middle between two cents, the digits that are lost decide nothing. Any other double goes the long way.
    /// </summary>
    private static string Cents(string money, int scale, string exact)
    {
        var cents = $"{money} * {Power(scale)}::float8";
        // The cast to bigint rounds as round() does.
        return $"CASE WHEN abs({money}) < 1e{ShortDigits - scale}::float8 AND abs({cents} - round({cents})) < 0.49::float8 THEN ({cents})::bigint ELSE {exact} END";
    }

    private static bool IsRounded(EngineColumn column, int scale) =>
        Parser.Parse(column.Value) is CallSyntax { Function: "round", Arguments: [_, NumberSyntax digits] }
        && digits.Text == scale.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// What a value <c>round(c::numeric, scale)</c> or <c>round(coalesce(c, 0)::numeric, scale)</c> rounds, if it is a double.
    /// </summary>
    private static string? RoundedDouble(EngineColumn column, int scale, IReadOnlyDictionary<string, uint> types) =>
        scale <= ShortDigits
        && IsRounded(column, scale)
        && Parser.Parse(column.Value) is CallSyntax { Arguments: [CastSyntax { Operand: var rounded, TypeName: "numeric" }, _] }
            ? rounded switch
            {
                NameSyntax name => Double(name, types),
                CallSyntax { Function: "coalesce", Arguments: [NameSyntax name, NumberSyntax otherwise] }
                    when Double(name, types) is { } number => $"coalesce({number}, {otherwise.Text})",
                _ => null,
            }
            : null;

    private static string? Double(NameSyntax name, IReadOnlyDictionary<string, uint> types) =>
        types.GetValueOrDefault(name.Name) == TypeOids.Float8 ? Sql.Identifier(name.Name) : null;

    private static CanonicalColumn OfNumeric(EngineColumn column, SqlType type)
    {
        var rounded = type.Precision > 0 ? $"round(({column.Value})::numeric, {type.Scale})" : $"({column.Value})::numeric";
        var (source, engine) = ($"trim_scale({rounded})::text", $"trim_scale({Sql.Identifier(column.Name)})::text");
        return new CanonicalColumn(
            column.Name,
            HashText,
            HashText,
            source + " COLLATE \"C\"",
            engine + " COLLATE \"C\"",
            source,
            engine,
            null
        );
    }

    /// <summary>The column c of a value <c>c AT TIME ZONE 'UTC'</c>: as the form is UTC without zone, it is c itself.</summary>
    private static string? UtcColumn(EngineColumn column) =>
        Parser.Parse(column.Value) is TimeZoneSyntax { Operand: NameSyntax moment, Zone: "UTC" } ? Sql.Identifier(moment.Name) : null;

    /// <summary>The source column that is the whole value, if it has that type.</summary>
    private static string? Column(EngineColumn column, IReadOnlyDictionary<string, uint> types, uint type) =>
        Parser.Parse(column.Value) is NameSyntax name && types.GetValueOrDefault(name.Name) == type ? Sql.Identifier(name.Name) : null;

    private static string TextForm(string text, bool sameBytes) =>
        (sameBytes ? text : $"encode(convert_to({text}, 'UTF8'), 'hex')") + " COLLATE \"C\"";

    private static string Power(int scale) => "1" + new string('0', scale);

    private static string Format(string form, string value) => string.Format(CultureInfo.InvariantCulture, form, value);
}
