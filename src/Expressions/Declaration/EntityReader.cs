using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Expressions.Declaration;

/// <summary>Reads one entity and checks what can be checked without the others.</summary>
internal sealed class EntityReader(DeclarationSettings settings, Findings findings)
{
    // Columns are named by one bit each where rows are checked.
    private const int MaxColumns = 64;

    private static readonly Dictionary<string, SourceType> SourceTypeNames = new(StringComparer.Ordinal)
    {
        ["integer"] = SourceType.Integer,
        ["float"] = SourceType.Float,
        ["numeric"] = SourceType.Numeric,
        ["text"] = SourceType.Text,
        ["boolean"] = SourceType.Boolean,
        ["timestamp"] = SourceType.Timestamp,
        ["timestamptz"] = SourceType.TimestampTz,
        ["date"] = SourceType.Date,
        ["uuid"] = SourceType.Uuid,
        ["json"] = SourceType.Json,
        ["jsonb"] = SourceType.Jsonb,
        ["bytea"] = SourceType.Bytes,
        ["number"] = SourceType.Number,
    };

    /// <summary>Columns that Apply fills without a declaration.</summary>
    private static readonly string[] OwnColumns = ["source_generation", "source_lsn", "source_ordinal", "source_commit_at", "sync_version"];

    /// <summary>Source columns whose type is not supported.</summary>
    private readonly HashSet<(string Entity, string Column)> _untrusted = [];

    public ReadEntity? Read(LocatedJson json, int index)
    {
        var entity = new JsonObjectReader(
            json,
            $"entity {index + 1}",
            findings,
            "name",
            "source",
            "engine",
            "rules",
            "parents",
            "appendMostly",
            "syncVersion",
            "notify",
            "serves",
            "aggregate",
            "reverse"
        );
        if (!entity.IsObject)
            return null;
        var name = entity.Text("name");
        var what = name.Length > 0 ? name : $"entity {index + 1}";
        var source = Section(entity, "source", what, "table", "key", "columns");
        var engine = Section(entity, "engine", what, "table", "key", "columns");
        if (source is null || engine is null)
            return null;
        var columns = SourceColumns(source, what);
        var (sourceSchema, sourceTable) = TableName(source, what);
        var (engineSchema, engineTable) = TableName(engine, what);
        var lines = new EntityLines { Entity = json.Line, EngineTable = engine.LineOf("table") };
        var hashed = HashedKeys(source, columns, what);
        var (key, secondKey) = hashed is [var firstHashed, ..] ? (firstHashed, null) : Keys(source, columns, what);
        var declaration = new EntityDeclaration
        {
            Index = index,
            Name = name,
            SourceSchema = sourceSchema,
            SourceTable = sourceTable,
            EngineSchema = engineSchema,
            EngineTable = engineTable,
            Key = key,
            SecondKey = secondKey,
            HashedKey = hashed,
            EngineKey = engine.Text("key", "id"),
            SourceColumns = columns,
            Columns = EngineColumns(engine, columns, what, lines),
            Rules = Rules(entity, columns, what, lines),
            Parents = Parents(entity, what, lines),
            AppendMostly = entity.Flag("appendMostly"),
            HasSyncVersion = entity.Flag("syncVersion"),
            NotifyColumn = entity.Optional("notify") is null ? null : entity.Text("notify"),
        };
        declaration = declaration with
        {
            Serves = Serves(entity, declaration, what),
            Aggregate = Aggregate(entity, declaration, what),
            Reverse = new ReverseReader(findings, declaration, what, lines).Read(entity),
        };
        CheckOwnNames(declaration, engine, lines);
        return new ReadEntity(WithOwnColumns(declaration), lines);
    }

    /// <summary>What Odoo's row says of own changes is applied and compared as any other column of it is.</summary>
    private static EntityDeclaration WithOwnColumns(EntityDeclaration entity)
    {
        // Of a double: its text has 15 digits and more, a numeric 15.
        if (entity.Reverse?.Number is { Length: > 0 } number)
            entity = With(entity, number, SourceType.Float, new(ReverseDeclaration.OdooNumberColumn, "bigint", $"{number}::bigint", false));
        if (entity.Reverse?.Ref is { Length: > 0 } name)
            entity = With(entity, name, SourceType.Text, new(ReverseDeclaration.OdooRefColumn, "text", name, NotNull: false));
        return entity;
    }

    private static EntityDeclaration With(EntityDeclaration entity, string source, SourceType type, EngineColumn column) =>
        entity with
        {
            SourceColumns = entity.SourceColumns.Any(c => c.Name == source)
                ? entity.SourceColumns
                : [.. entity.SourceColumns, new SourceColumn(entity.SourceColumns.Count, source, type)],
            Columns = [.. entity.Columns, column],
        };

    private JsonObjectReader? Section(JsonObjectReader entity, string name, string what, params string[] known) =>
        entity.Required(name, JsonShape.Object) is { } json ? new JsonObjectReader(json, $"{what}.{name}", findings, known) : null;

    private (string Schema, string Table) TableName(JsonObjectReader section, string what)
    {
        var parts = section.Text("table").Split('.');
        if (parts is [var schema, var table] && schema.Length > 0 && table.Length > 0)
            return (schema, table);
        if (parts is [var plain])
            return ("public", plain);
        findings.Add(
            "declaration-table",
            section.LineOf("table"),
            $"{what}: \"{section.Text("table")}\" is not a table's name.",
            "Write table or schema.table."
        );
        return ("", "");
    }

    private List<SourceColumn> SourceColumns(JsonObjectReader source, string what)
    {
        var columns = new List<SourceColumn>();
        if (source.Required("columns", JsonShape.Object) is not { } json)
            return columns;
        foreach (var (name, line, value) in json.Properties)
        {
            if (columns.Any(c => c.Name == name))
                findings.Add(
                    "declaration-duplicate",
                    line,
                    $"{what}: the source column \"{name}\" is declared twice.",
                    "Keep one of them."
                );
            else if (SourceTypeOf(value) is { } type)
                columns.Add(new SourceColumn(columns.Count, name, type));
            else
            {
                findings.Add(
                    "declaration-type",
                    value.Line,
                    $"{what}: the source column \"{name}\" has the unknown type \"{value.Text}\".",
                    NearestName.Remedy(value.Text, SourceTypeNames.Keys, "Known are")
                        + " PostgreSQL's own names (int4, float8, varchar, ...) are understood."
                );
                // Declared, only of no known type: expressions that use it are not to be reported as well.
                columns.Add(new SourceColumn(columns.Count, name, SourceType.Text));
                _untrusted.Add((what, name));
            }
        }
        if (columns.Count > MaxColumns)
            findings.Add(
                "declaration-size",
                json.Line,
                $"{what} declares {columns.Count} source columns.",
                $"At most {MaxColumns}: leave out those that no expression needs."
            );
        return columns;
    }

    private static SourceType? SourceTypeOf(LocatedJson value)
    {
        if (value.Shape != JsonShape.String)
            return null;
        var word = value.Text.Trim().ToLowerInvariant();
        if (SourceTypeNames.TryGetValue(word, out var type))
            return type;
        if (word is "float4" or "real")
            return SourceType.Float;
        return SqlTypeName.Parse(word)?.Family switch
        {
            SqlFamily.Integer => SourceType.Integer,
            SqlFamily.Float => SourceType.Float,
            SqlFamily.Numeric => SourceType.Numeric,
            SqlFamily.Text => SourceType.Text,
            SqlFamily.Boolean => SourceType.Boolean,
            SqlFamily.Timestamp => SourceType.Timestamp,
            SqlFamily.TimestampTz => SourceType.TimestampTz,
            SqlFamily.Date => SourceType.Date,
            SqlFamily.Jsonb => SourceType.Jsonb,
            _ => null,
        };
    }

    /// <summary>An object with the columns of a key that is known by a hash. Null: it is none.</summary>
    private List<SourceColumn>? HashedKeys(JsonObjectReader source, List<SourceColumn> columns, string what)
    {
        if (source.Optional("key") is not { Shape: JsonShape.Object } json)
            return null;
        var names = json.Property("hash")?.Items.Where(i => i.Shape == JsonShape.String).Select(i => i.Text).ToList() ?? [];
        if (
            json.Properties.Count != 1
            || names.Count == 0
            || names.Count != json.Property("hash")!.Items.Count
            || names.Distinct().Count() != names.Count
        )
        {
            findings.Add(
                "declaration-key",
                json.Line,
                $"{what}: a key that is known by a hash is an array of different columns.",
                "Write \"key\": { \"hash\": [\"code\"] }, with all columns of the primary key."
            );
            return [new SourceColumn(0, "", SourceType.Integer)];
        }
        return [.. names.Select(name => HashedKey(name, json.Line, columns, what))];
    }

    private SourceColumn HashedKey(string name, FileLine line, List<SourceColumn> columns, string what)
    {
        var key = columns.FirstOrDefault(c => c.Name == name);
        if (key is null)
            findings.Add(
                "declaration-key",
                line,
                $"{what}: the key \"{name}\" is not a source column.",
                NearestName.Remedy(name, columns.Select(c => c.Name), "Use one of")
            );
        else if (!KeySpelling.Takes(key.Type) && !_untrusted.Contains((what, name)))
            findings.Add(
                "declaration-key",
                line,
                $"{what}: the key \"{name}\" is {key.Type}.",
                "A key that is known by a hash is of integers, texts and uuids. A table with another primary key cannot be followed."
            );
        return key ?? new SourceColumn(0, name, SourceType.Text);
    }

    /// <summary>One column, or an array of two.</summary>
    private (SourceColumn First, SourceColumn? Second) Keys(JsonObjectReader source, List<SourceColumn> columns, string what)
    {
        if (source.Optional("key") is not { Shape: JsonShape.Array } json)
            return (Key(source.Text("key"), source, columns, what), null);
        if (json.Items is not [{ Shape: JsonShape.String } first, { Shape: JsonShape.String } second] || first.Text == second.Text)
        {
            findings.Add(
                "declaration-key",
                json.Line,
                $"{what}: a key is one column, or two different ones.",
                "Write \"key\": \"id\", or \"key\": [\"loyalty_program_id\", \"pos_config_id\"]; of other columns \"key\": { \"hash\": [\"code\"] } "
                    + "(docs/declaration.md)."
            );
            return (new SourceColumn(0, "", SourceType.Integer), null);
        }
        return (Key(first.Text, source, columns, what), Key(second.Text, source, columns, what));
    }

    private SourceColumn Key(string name, JsonObjectReader source, List<SourceColumn> columns, string what)
    {
        var key = columns.FirstOrDefault(c => c.Name == name);
        if (name.Length > 0 && key is null)
            findings.Add(
                "declaration-key",
                source.LineOf("key"),
                $"{what}: the key \"{name}\" is not a source column.",
                NearestName.Remedy(name, columns.Select(c => c.Name), "Use one of")
            );
        else if (key is not null && key.Type != SourceType.Integer && !_untrusted.Contains((what, name)))
            findings.Add(
                "declaration-key",
                source.LineOf("key"),
                $"{what}: the key \"{name}\" is {key.Type}.",
                "A key is of integers: one column, or two. One with texts or uuids, or of more columns, is known by a hash: \"key\": { \"hash\": "
                    + "[\"code\"] } (docs/declaration.md)."
            );
        return key ?? new SourceColumn(0, name, SourceType.Integer);
    }

    private List<EngineColumn> EngineColumns(JsonObjectReader engine, List<SourceColumn> sources, string what, EntityLines lines)
    {
        var columns = new List<EngineColumn>();
        if (engine.Required("columns", JsonShape.Array) is not { } json)
            return columns;
        foreach (var item in json.Items)
        {
            var reader = new JsonObjectReader(item, $"{what}.engine.columns", findings, "name", "type", "value", "notNull");
            if (!reader.IsObject)
                continue;
            var column = new EngineColumn(reader.Text("name"), reader.Text("type"), Expression(reader, "value"), reader.Flag("notNull"));
            if (columns.Any(c => c.Name == column.Name))
                findings.Add(
                    "declaration-duplicate",
                    item.Line,
                    $"{what}: the engine column \"{column.Name}\" is declared twice.",
                    "Keep one of them."
                );
            lines.Columns[column.Name] = item.Line;
            columns.Add(column);
            CheckColumn(column, reader, sources, what);
        }
        if (columns.Count > MaxColumns)
            findings.Add("declaration-size", json.Line, $"{what} declares {columns.Count} engine columns.", $"At most {MaxColumns}.");
        return columns;
    }

    private void CheckColumn(EngineColumn column, JsonObjectReader reader, List<SourceColumn> sources, string what)
    {
        var type = SqlTypeName.Parse(column.Type);
        if (type is null && column.Type.Length > 0)
            findings.Add(
                "declaration-type",
                reader.LineOf("type"),
                $"{what}.{column.Name}: the engine type \"{column.Type}\" is not supported.",
                $"Supported: {SqlTypeName.Supported}."
            );
        if (type is { } known && column.Value.Length > 0)
            Compile(
                () => ExpressionCompiler.Value(column.Value, sources, known),
                reader.LineOf("value"),
                $"{what}.{column.Name}",
                column.Value,
                what,
                sources
            );
    }

    private List<RowRule> Rules(JsonObjectReader entity, List<SourceColumn> sources, string what, EntityLines lines)
    {
        var rules = new List<RowRule>();
        foreach (var item in Items(entity, "rules", what))
        {
            var reader = new JsonObjectReader(item, $"{what}.rules", findings, "name", "check", "message", "warn");
            if (!reader.IsObject)
                continue;
            var rule = new RowRule(reader.Text("name"), Expression(reader, "check"), reader.Text("message"), reader.Flag("warn"));
            if (rule.Warn)
                lines.Warnings.Add(rule.Name);
            rule = rule with { Warn = rule.Warn && !settings.Quarantine.Contains(rule.Name) };
            if (rules.Any(r => r.Name == rule.Name))
                findings.Add(
                    "declaration-duplicate",
                    item.Line,
                    $"{what}: the rule \"{rule.Name}\" is declared twice.",
                    "Give each rule its own name: it is the reason shown in quarantine."
                );
            lines.Rules[rule.Name] = item.Line;
            rules.Add(rule);
            if (rule.Check.Length > 0)
                Compile(
                    () => ExpressionCompiler.Condition(rule.Check, sources),
                    reader.LineOf("check"),
                    $"{what}: rule {rule.Name}",
                    rule.Check,
                    what,
                    sources
                );
        }
        return rules;
    }

    private List<ParentReference> Parents(JsonObjectReader entity, string what, EntityLines lines)
    {
        var parents = new List<ParentReference>();
        if (entity.Optional("parents") is not { } json)
            return parents;
        if (json.Shape != JsonShape.Object)
        {
            findings.Add(
                "declaration-shape",
                json.Line,
                $"{what}: \"parents\" must be an object.",
                "Write { \"engine column\": \"entity\" }."
            );
            return parents;
        }
        foreach (var (column, line, value) in json.Properties)
        {
            lines.Parents[column] = line;
            parents.Add(new ParentReference(column, value.Text));
        }
        return parents;
    }

    private string Expression(JsonObjectReader reader, string name) =>
        reader.Text(name).Replace("{language}", settings.Language, StringComparison.Ordinal);

    /// <summary>Which part it has in answers, and which of its columns are what.</summary>
    private ServedRole? Serves(JsonObjectReader entity, EntityDeclaration declaration, string what)
    {
        // By its name alone only what can: answers are made of rows with an id.
        if (entity.Optional("serves") is not { } json)
            return declaration.HasId && ServedRole.Known.ContainsKey(declaration.Name) ? new ServedRole(declaration.Name) : null;
        var role = json.Property("role")?.Text ?? declaration.Name;
        if (!ServedRole.Known.TryGetValue(role, out var parts))
        {
            findings.Add(
                "declaration-serves",
                json.Line,
                $"{what}: nothing is served as \"{role}\".",
                NearestName.Remedy(role, ServedRole.Known.Keys, "Write \"role\" with one of")
            );
            return null;
        }
        var reader = new JsonObjectReader(json, $"{what}.serves", findings, ["role", .. parts.Keys]);
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in parts.Keys.Where(p => reader.Optional(p) is not null))
        {
            named[part] = reader.Text(part);
            if (named[part].Length > 0 && declaration.Columns.All(c => c.Name != named[part]))
                findings.Add(
                    "declaration-serves",
                    reader.LineOf(part),
                    $"{what}: \"{part}\" names \"{named[part]}\", which is not an engine column.",
                    NearestName.Remedy(named[part], declaration.Columns.Select(c => c.Name), "Use one of")
                );
        }
        return new ServedRole(role) { Named = named };
    }

    private AggregateDeclaration? Aggregate(JsonObjectReader entity, EntityDeclaration declaration, string what)
    {
        if (entity.Optional("aggregate") is not { } json)
            return null;
        var reader = new JsonObjectReader(json, $"{what}.aggregate", findings, "table", "by", "sum", "until", "through");
        var (schema, table) = TableName(reader, what);
        return new AggregateDeclaration(
            schema,
            table,
            AggregateColumn(reader, "by", SqlFamily.Integer, declaration, what)!,
            AggregateColumn(reader, "sum", SqlFamily.Numeric, declaration, what)!,
            reader.Optional("until") is null ? null : AggregateColumn(reader, "until", SqlFamily.Date, declaration, what),
            reader.Optional("through") is null ? null : AggregateColumn(reader, "through", SqlFamily.Integer, declaration, what)
        );
    }

    private string AggregateColumn(JsonObjectReader reader, string part, SqlFamily family, EntityDeclaration declaration, string what)
    {
        var name = reader.Text(part);
        if (name.Length > 0 && declaration.Columns.All(c => c.Name != name || SqlTypeName.Parse(c.Type)?.Family != family))
            findings.Add(
                "declaration-aggregate",
                reader.LineOf(part),
                $"{what}: \"{part}\" names \"{name}\", which is not an engine column of {family.ToString().ToLowerInvariant()}.",
                NearestName.Remedy(
                    name,
                    declaration.Columns.Where(c => SqlTypeName.Parse(c.Type)?.Family == family).Select(c => c.Name),
                    "Use one of"
                )
            );
        return name;
    }

    private List<LocatedJson> Items(JsonObjectReader entity, string name, string what)
    {
        if (entity.Optional(name) is not { } json)
            return [];
        if (json.Shape == JsonShape.Array)
            return json.Items;
        findings.Add("declaration-shape", json.Line, $"{what}: \"{name}\" must be an array [ ... ].", "Put it in brackets.");
        return [];
    }

    private void Compile(Action compile, FileLine line, string where, string text, string entity, List<SourceColumn> sources)
    {
        try
        {
            compile();
        }
        catch (ExpressionException wrong)
        {
            // The column's own type is reported already.
            if (
                wrong.Code == "expression-type"
                && sources.Any(c => _untrusted.Contains((entity, c.Name)) && text.Contains(c.Name, StringComparison.Ordinal))
            )
                return;
            findings.Add(wrong.Code, line, $"{where}: {wrong.Message}, at character {wrong.Position + 1} of: {text}", wrong.Remedy);
        }
    }

    private void CheckOwnNames(EntityDeclaration entity, JsonObjectReader engine, EntityLines lines)
    {
        foreach (var column in entity.Columns)
        {
            if (column.Name == entity.EngineKey)
                findings.Add(
                    "declaration-key",
                    lines.Columns[column.Name],
                    $"{entity.Name}: the engine column \"{column.Name}\" is the key.",
                    "Leave it out: the key is written from the source's key."
                );
            if (OwnColumns.Contains(column.Name))
                findings.Add(
                    "declaration-duplicate",
                    lines.Columns[column.Name],
                    $"{entity.Name}: \"{column.Name}\" is written by the pipeline itself.",
                    "Choose another name, or leave it out."
                );
        }
        if (
            entity.NotifyColumn is { } notify
            && !entity.Columns.Any(c => c.Name == notify && SqlTypeName.Parse(c.Type)?.Family == SqlFamily.Text)
        )
            findings.Add(
                "declaration-notify",
                lines.Entity,
                $"{entity.Name}: \"notify\" names \"{notify}\", which is not an engine column of text.",
                NearestName.Remedy(notify, entity.Columns.Select(c => c.Name), "Name the column by which rows are looked up. Columns")
            );
        if (entity.Columns.Count == 0 && engine.Optional("columns") is { Shape: JsonShape.Array } columns)
            findings.Add("declaration-missing", columns.Line, $"{entity.Name} has no engine columns.", "Declare at least one.");
    }
}

/// <summary>Where the parts of an entity stand in the file.</summary>
internal sealed class EntityLines
{
    public required FileLine Entity { get; init; }
    public required FileLine EngineTable { get; init; }

    /// <summary>Of what flows back to Odoo, if anything does.</summary>
    public FileLine Reverse { get; set; }
    public Dictionary<string, FileLine> Columns { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, FileLine> Rules { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, FileLine> Parents { get; } = new(StringComparer.Ordinal);

    /// <summary>Names of the rules that only warn, whatever the settings say.</summary>
    public List<string> Warnings { get; } = [];
}

internal sealed record ReadEntity(EntityDeclaration Declaration, EntityLines Lines);
