using System.Runtime.CompilerServices;
using Cdc.Log.Avro.Schemas;

namespace Cdc.Log.Avro.Resolution;

/// <summary>
/// How what one schema wrote is read as another one's value, by the specification's rules: promotions, unions, fields by name or alias,
/// defaults. Decided once; reading then only follows it.
/// </summary>
internal sealed class SchemaResolution
{
    private readonly Dictionary<(AvroSchema Writer, AvroSchema Reader), ResolvedRecord> _records;

    /// <summary>Results of earlier branches: schemas that name each other would otherwise recurse without end.</summary>
    private readonly Dictionary<(AvroSchema Writer, AvroSchema Reader), bool> _taken;
    private readonly List<string> _problems = [];

    private SchemaResolution(
        AvroSchema writer,
        AvroSchema reader,
        Dictionary<(AvroSchema, AvroSchema), ResolvedRecord> known,
        Dictionary<(AvroSchema, AvroSchema), bool> taken
    )
    {
        (_records, _taken) = (known, taken);
        Root = Resolve(writer, reader, "");
    }

    public ResolvedSchema Root { get; }

    /// <summary>What the writer can write that the reader cannot read; none: it reads everything.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <exception cref="AvroSchemaException">They are nested too deeply.</exception>
    public static SchemaResolution Of(AvroSchema writer, AvroSchema reader) => new(writer, reader, [], []);

    private ResolvedSchema Resolve(AvroSchema writer, AvroSchema reader, string at) =>
        (writer, reader) switch
        {
            (UnionSchema from, _) => new ResolvedUnion([.. from.Branches.Select((branch, i) => Resolve(branch, reader, $"{at}/{i}"))]),
            (_, UnionSchema to) => BranchFor(writer, to) is { } branch
                ? Resolve(writer, branch, at)
                : Unreadable(at, $"no branch of the reader's union takes {Describe(writer)}"),
            (RecordSchema from, RecordSchema to) => Matches(from, to) ? Record(from, to, at) : Mismatch(writer, reader, at),
            (EnumSchema from, EnumSchema to) => Matches(from, to) ? Enum(from, to, at) : Mismatch(writer, reader, at),
            (FixedSchema from, FixedSchema to) => Matches(from, to) && from.Size == to.Size && IsSameNumber(from, to)
                ? new ResolvedFixed(from.Size)
                : Mismatch(writer, reader, at),
            (ArraySchema from, ArraySchema to) => new ResolvedArray(Resolve(from.Items, to.Items, at + "/items")),
            (MapSchema from, MapSchema to) => new ResolvedMap(Resolve(from.Values, to.Values, at + "/values")),
            _ => ResolvedPrimitive.IsReadable(writer.Kind, reader.Kind) && IsSameNumber(writer, reader)
                ? new ResolvedPrimitive(writer.Kind, reader.Kind)
                : Mismatch(writer, reader, at),
        };

    /// <summary>
    /// The first that takes everything, so that a record of the same name but other fields does not hide one that fits. If none does, the
    /// one that is meant: what it lacks says more than that no branch fits.
    /// </summary>
    private AvroSchema? BranchFor(AvroSchema writer, UnionSchema reader) =>
        reader.Branches.FirstOrDefault(branch => branch.Kind == writer.Kind && Takes(writer, branch))
        ?? reader.Branches.FirstOrDefault(branch => Takes(writer, branch))
        ?? reader.Branches.FirstOrDefault(branch =>
            branch is NamedSchema to && writer is NamedSchema from && branch.Kind == writer.Kind && Matches(from, to)
        );

    private bool Takes(AvroSchema writer, AvroSchema reader)
    {
        if (_taken.TryGetValue((writer, reader), out var takes))
            return takes;
        return _taken[(writer, reader)] = new SchemaResolution(writer, reader, new(_records), _taken).Problems.Count == 0;
    }

    private ResolvedRecord Record(RecordSchema from, RecordSchema to, string at)
    {
        if (_records.TryGetValue((from, to), out var known))
            return known;
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new AvroSchemaException($"{to.Name} is nested too deeply.");
        var record = _records[(from, to)] = new ResolvedRecord(to);
        var places = to
            .Fields.Select(field => from.Fields.ToList().FindIndex(f => f.Name == field.Name || field.Aliases.Contains(f.Name)))
            .ToArray();
        record.Steps =
        [
            .. from.Fields.Select(
                (field, i) =>
                    Array.IndexOf(places, i) is var place and >= 0
                        ? new RecordStep(place, Resolve(field.Schema, to.Fields[place].Schema, $"{at}/{field.Name}"), field.Schema)
                        : new RecordStep(-1, null, field.Schema)
            ),
        ];
        for (var place = 0; place < places.Length; place++)
        {
            if (places[place] >= 0)
                continue;
            if (to.Fields[place].HasDefault)
                record.Missing.Add(place);
            else
            {
                _problems.Add($"{Place($"{at}/{to.Fields[place].Name}")}: the writer has no such field, and the reader no default for it");
                record.Lacks ??= to.Fields[place].Name;
            }
        }
        return record;
    }

    private ResolvedEnum Enum(EnumSchema from, EnumSchema to, string at)
    {
        var unknown = from.Symbols.Except(to.Symbols).ToList();
        if (unknown.Count > 0 && to.Default is null)
            _problems.Add($"{Place(at)}: the reader does not know {string.Join(", ", unknown)}");
        return new ResolvedEnum([.. from.Symbols.Select(symbol => to.Symbols.Contains(symbol) ? symbol : to.Default)], from.Symbols);
    }

    /// <summary>Names match without their namespaces, as the specification has it since 1.9; and by the reader's aliases.</summary>
    private static bool Matches(NamedSchema writer, NamedSchema reader) =>
        writer.Name.Name == reader.Name.Name || reader.Aliases.Contains(writer.Name);

    /// <summary>
    /// Decimals of two scales are the same bytes and other numbers. The specification asks for equal precision too; but what fits in fewer
    /// digits fits in more, and reads as the same number.
    /// </summary>
    private static bool IsSameNumber(AvroSchema writer, AvroSchema reader) =>
        writer.Decimal is not { } from || reader.Decimal is not { } to || (from.Scale == to.Scale && from.Precision <= to.Precision);

    private ResolvedUnreadable Mismatch(AvroSchema writer, AvroSchema reader, string at) =>
        Unreadable(at, $"{Describe(writer)} is not readable as {Describe(reader)}");

    private ResolvedUnreadable Unreadable(string at, string why)
    {
        _problems.Add($"{Place(at)}: {why}");
        return new ResolvedUnreadable(why);
    }

    private static string Place(string at) => at.Length == 0 ? "/" : at;

    private static string Describe(AvroSchema schema)
    {
        var type = schema is NamedSchema named ? $"{schema.Kind} {named.Name}" : schema.Kind.ToString();
        return schema.Decimal is { } number ? $"{type} decimal({number.Precision},{number.Scale})" : type;
    }
}
