using System.Collections;
using System.Globalization;
using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Python;

namespace Cdc.Tests.Support.Odoo.Orm;

/// <summary>A search domain of Odoo as a condition: leaves, and the operators before them.</summary>
internal sealed class DomainSql(OdooModel model)
{
    private readonly List<object?> _values = [];
    private bool _namesActive;

    public object?[] Values => [.. _values];

    /// <param name="activeTest">Archived rows are left out where the domain does not speak of them.</param>
    public string Condition(object? domain, bool activeTest)
    {
        var parts = domain switch
        {
            null or false => [],
            List<object?> list => list,
            _ => throw OdooError.Value($"Invalid domain: {PyRepr.Of(domain)}"),
        };
        var at = 0;
        var terms = new List<string>();
        while (at < parts.Count)
            terms.Add(Term(parts, ref at));
        if (activeTest && model.HasActive && !_namesActive)
            terms.Add("active IS TRUE");
        return terms.Count == 0 ? "true" : string.Join(" AND ", terms);
    }

    private string Term(List<object?> parts, ref int at)
    {
        if (at >= parts.Count)
            throw OdooError.Value($"Domain {PyRepr.Of(parts)} is missing terms");
        var part = parts[at++];
        switch (part)
        {
            case "!":
                return $"NOT coalesce({Term(parts, ref at)}, false)";
            case "&":
                return $"({Term(parts, ref at)} AND {Term(parts, ref at)})";
            case "|":
                return $"({Term(parts, ref at)} OR {Term(parts, ref at)})";
            case List<object?> { Count: 3 } leaf:
                return Leaf(leaf);
            default:
                throw OdooError.Value($"Invalid leaf {PyRepr.Of(part)}");
        }
    }

    private string Leaf(List<object?> leaf)
    {
        // Domain of a constant, as Odoo writes true and false.
        if (leaf is [long left, "=" or "!=", long right])
            return (left == right) == (leaf[1] is "=") ? "true" : "false";
        var name = leaf[0] as string ?? "";
        if (!model.Fields.TryGetValue(name, out var field) || !field.IsColumn)
            throw OdooError.Value(
                $"Invalid field {model.Name}.{name} in condition ({PyRepr.Of(leaf[0])}, {PyRepr.Of(leaf[1])}, {PyRepr.Of(leaf[2])})"
            );
        _namesActive |= name == "active";
        var column = field.IsTranslated ? $"({name} ->> 'en_US')" : name;
        var value = leaf[2];
        return leaf[1] switch
        {
            "=" or "==" => IsUnset(field, value) ? Unset(field, column) : $"{column} = {Add(field, value)}",
            "!=" or "<>" => IsUnset(field, value)
                ? $"NOT {Unset(field, column)}"
                : $"({column} <> {Add(field, value)} OR {column} IS NULL)",
            "<" or ">" or "<=" or ">=" => $"{column} {leaf[1]} {Add(field, value)}",
            "in" => In(field, column, value, isNot: false),
            "not in" => In(field, column, value, isNot: true),
            "like" => $"{column}::text LIKE {AddText($"%{value}%")}",
            "ilike" => $"{column}::text ILIKE {AddText($"%{value}%")}",
            "=like" => $"{column}::text LIKE {AddText($"{value}")}",
            "=ilike" => $"{column}::text ILIKE {AddText($"{value}")}",
            _ => throw OdooError.Value($"Invalid operator {PyRepr.Of(leaf[1])}"),
        };
    }

    private string In(OdooField field, string column, object? value, bool isNot)
    {
        var all = value is IEnumerable list and not string ? list.Cast<object?>().ToList() : [value];
        var unset = all.Exists(v => v is null or false);
        var rest = all.Where(v => v is not (null or false)).Select(v => Add(field, v)).ToList();
        var terms = new List<string>();
        if (rest.Count > 0)
            terms.Add($"{column} IN ({string.Join(", ", rest)})");
        if (unset)
            terms.Add(Unset(field, column));
        var condition = terms.Count == 0 ? "false" : $"({string.Join(" OR ", terms)})";
        return isNot ? $"NOT coalesce({condition}, false)" : condition;
    }

    private static bool IsUnset(OdooField field, object? value) =>
        value is null or false || (field.Type == FieldType.Boolean && value is 0L);

    private static string Unset(OdooField field, string column) =>
        field.Type switch
        {
            FieldType.Boolean => $"({column} IS NULL OR {column} = false)",
            FieldType.Integer or FieldType.Float => $"({column} IS NULL OR {column} = 0)",
            _ => $"({column} IS NULL)",
        };

    private string Add(OdooField field, object? value)
    {
        _values.Add(field.IsTranslated ? value?.ToString() : FieldValues.ToColumn(field, value, "en_US"));
        return string.Create(CultureInfo.InvariantCulture, $"${_values.Count}");
    }

    private string AddText(string text)
    {
        _values.Add(text);
        return string.Create(CultureInfo.InvariantCulture, $"${_values.Count}");
    }
}
