using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Orm;
using Npgsql;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>
/// Odoo's import, <c>load</c>: texts to records, external ids in ir_model_data, all or nothing. What is wrong with data is a message beside
/// <c>ids: false</c> and no error; a serialization failure too, and Odoo does not repeat it.
/// </summary>
internal sealed class LoadImport(OdooEnvironment env, OdooModel model)
{
    private readonly List<object?> _messages = [];

    public async Task<PyDict> RunAsync(IReadOnlyList<string> fields, IReadOnlyList<List<object?>> data)
    {
        CheckHeader(fields);
        var rows = LoadRow.Of(fields, data);
        var ids = new List<object?>();
        try
        {
            await env.SavepointAsync(() => LoadAsync(rows, ids));
        }
        catch (RefusedException)
        {
            return Answer(false);
        }
        return Answer(ids);
    }

    private PyDict Answer(object ids) =>
        new()
        {
            ["ids"] = ids,
            ["messages"] = _messages,
            ["nextrow"] = 0L,
        };

    private async Task LoadAsync(IReadOnlyList<LoadRow> rows, List<object?> ids)
    {
        var converted = new List<PyDict>();
        foreach (var row in rows)
            converted.Add(await ConvertAsync(model, row, row.Values));
        foreach (var (row, values) in rows.Zip(converted))
            await AttemptAsync(
                row,
                async () =>
                {
                    var id = await SaveAsync(model, row.ExternalId, row.Id, values);
                    ids.Add(id);
                    foreach (var (field, children) in row.Children)
                    foreach (var child in children)
                        await SaveChildAsync(row, field, id, child);
                }
            );
        if (_messages.Count > 0)
            throw new RefusedException();
    }

    private async Task SaveChildAsync(LoadRow row, string fieldName, long parent, LoadChild child)
    {
        var field = model.Fields[fieldName];
        var other = await env.ModelAsync(field.Relation!);
        var values = await ConvertAsync(other, row, child.Values);
        values[field.Through.Own] = parent;
        await SaveAsync(other, child.ExternalId, child.Id, values);
    }

    /// <summary>In a savepoint of its own, so that all that is wrong is told at once.</summary>
    private async Task AttemptAsync(LoadRow row, Func<Task> save)
    {
        try
        {
            await env.SavepointAsync(save);
        }
        catch (PostgresException e)
        {
            var (message, field) = e.IsIntegrity() ? e.Explain(env.Models) : (e.Text(), null);
            Refuse(row, message, field);
        }
        catch (OdooError e)
        {
            Refuse(row, e.Message, null);
        }
    }

    private void Refuse(LoadRow row, string message, string? field)
    {
        var shown = new PyDict
        {
            ["rows"] = row.Range(),
            ["record"] = row.Record,
            ["type"] = "error",
            ["message"] = message,
        };
        if (field is not null)
            shown["field"] = field;
        _messages.Add(shown);
    }

    private async Task<PyDict> ConvertAsync(OdooModel of, LoadRow row, IReadOnlyList<LoadValue> given)
    {
        var values = new PyDict();
        foreach (var value in given)
            try
            {
                values[value.Field] = await LoadValues.ConvertAsync(env, of.Fields[value.Field], value);
            }
            catch (LoadValueException e)
            {
                var shown = new PyDict
                {
                    ["rows"] = row.Range(),
                    ["type"] = "error",
                    ["record"] = row.Record,
                    ["field"] = value.Field,
                    ["message"] = e.Message,
                };
                if (e.MoreInfo is not null)
                    shown["moreinfo"] = e.MoreInfo;
                shown["field_name"] = of.Fields[value.Field].Label;
                _messages.Add(shown);
            }
        return values;
    }

    private async Task<long> SaveAsync(OdooModel of, string? externalId, long? id, PyDict values)
    {
        var records = new ModelRecords(env, of);
        if (id is { } given)
        {
            await records.WriteAsync([given], values);
            return given;
        }
        if (externalId is null)
            return (await records.CreateAsync([values]))[0];
        var dot = externalId.IndexOf('.', StringComparison.Ordinal);
        var (module, name) = dot < 0 ? ("__import__", externalId) : (externalId[..dot], externalId[(dot + 1)..]);
        var known = (
            await env.RowsAsync(
                $"SELECT t.id, coalesce(d.noupdate, false) FROM ir_model_data d JOIN {of.Table} t ON t.id = d.res_id WHERE d.module = $1 AND d.name = $2 AND d.model = $3",
                module,
                name,
                of.Name
            )
        ).FirstOrDefault();
        if (known is null)
        {
            var made = (await records.CreateAsync([values]))[0];
            await RegisterAsync(module, name, of.Name, made);
            return made;
        }
        var found = (long)(int)known[0]!;
        // Both are asked: the mode of this call and what the row says.
        if (!(env.Context.GetValueOrDefault("mode") is "update" && known[1] is true))
            await records.WriteAsync([found], values);
        return found;
    }

    /// <summary>With no right on ir.model.data.</summary>
    private Task<int> RegisterAsync(string module, string name, string of, long id) =>
        env.ExecuteAsync(
            """
            INSERT INTO ir_model_data (module, name, model, res_id, noupdate, create_date, write_date)
            VALUES ($1, $2, $3, $4, $5, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
            ON CONFLICT (module, name) DO UPDATE SET model = EXCLUDED.model, res_id = EXCLUDED.res_id, write_date = EXCLUDED.write_date
            """,
            module,
            name,
            of,
            id,
            PyOperators.IsTrue(env.Context.GetValueOrDefault("noupdate"))
        );

    /// <exception cref="OdooError">A field is unknown: that is no matter of data.</exception>
    private void CheckHeader(IEnumerable<string> fields)
    {
        foreach (var name in fields.Select(f => f.Split('/')[0]))
            if (name is not ("id" or ".id") && !model.Fields.ContainsKey(name))
                throw OdooError.Value($"Invalid field name '{name}'");
    }

    /// <summary>Something of it was wrong, so that nothing stays.</summary>
    private sealed class RefusedException : Exception;
}
