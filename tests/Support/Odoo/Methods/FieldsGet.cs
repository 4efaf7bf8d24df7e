using Cdc.Tests.Support.Odoo.Models;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>The description of a model's fields.</summary>
internal static class FieldsGet
{
    public static PyDict Of(OdooModel model, IReadOnlyList<string>? names, IReadOnlyList<string>? attributes)
    {
        var all = new PyDict();
        foreach (var field in model.Fields.Values.Where(f => names is null or [] || names.Contains(f.Name)))
        {
            var shown = new PyDict();
            foreach (var (name, value) in Attributes(field))
                if (attributes is null or [] || attributes.Contains(name))
                    shown[name] = value;
            all[field.Name] = shown;
        }
        return all;
    }

    private static IEnumerable<(string, object?)> Attributes(OdooField field)
    {
        yield return ("type", field.TypeName);
        yield return ("string", field.Label);
        yield return ("name", field.Name);
        yield return ("readonly", field.Readonly);
        yield return ("required", field.Required);
        yield return ("store", true);
        yield return ("manual", field.IsManual);
        if (field.IsTranslated)
            yield return ("translate", true);
        if (field.Relation is not null)
            yield return ("relation", field.Relation);
    }
}
