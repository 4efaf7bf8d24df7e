using System.Globalization;
using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;

namespace Cdc.Tests.Support.Odoo.Orm;

/// <summary>Rows of one model, read and written as Odoo's ORM does: rights, defaults, who and when, one statement for a call.</summary>
internal sealed class ModelRecords(OdooEnvironment env, OdooModel model)
{
    /// <summary>Odoo's clock: the transaction's beginning.</summary>
    private const string Now = "(now() AT TIME ZONE 'UTC')";

    public OdooModel Model => model;

    public static async Task<ModelRecords> OfAsync(OdooEnvironment env, string name) => new(env, await env.ModelAsync(name));

    public async Task<List<long>> SearchAsync(object? domain, long offset = 0, long? limit = null, string? order = null)
    {
        env.Check(model, Operation.Read);
        var sql = new DomainSql(model);
        var condition = sql.Condition(domain, env.Context.GetValueOrDefault("active_test") is not false);
        // Odoo's rule: everybody sees their own keys alone, but for administrators.
        if (model.Name == "res.users.apikeys" && !env.User.Groups.Contains(OdooGroups.Settings))
            condition += string.Create(CultureInfo.InvariantCulture, $" AND user_id = {env.Uid}");
        var rows = await env.RowsAsync(
            $"SELECT id FROM {model.Table} WHERE {condition} ORDER BY {Order(order ?? model.Order)}"
                + (limit is null or 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" LIMIT {limit}"))
                + (offset == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" OFFSET {offset}")),
            sql.Values
        );
        return [.. rows.Select(r => (long)(int)r[0]!)];
    }

    /// <summary>Rows that are not there are left out.</summary>
    public async Task<List<object?>> ReadAsync(IReadOnlyCollection<long> ids, IReadOnlyList<string>? names)
    {
        env.Check(model, Operation.Read);
        var fields = Known(names is { Count: > 0 } ? names : [.. model.Fields.Keys]);
        var columns = fields.Where(f => f.IsColumn && f.Name is not ("id" or "display_name")).ToList();
        var rows = (
            await env.RowsAsync(
                $"SELECT id{string.Concat(columns.Select(c => ", " + Quoted(c)))} FROM {model.Table} WHERE id = ANY($1)",
                ids.ToArray()
            )
        ).ToDictionary(r => (long)(int)r[0]!);
        var answer = new List<object?>();
        var read = ids.Distinct().Where(rows.ContainsKey).ToList();
        var linked = await NamesOfAsync(columns, rows.Values);
        var shown = fields.Exists(f => f.Name == "display_name") ? await DisplayNames.OfAsync(env, model, read) : [];
        var many = new Dictionary<string, Dictionary<long, List<object?>>>();
        foreach (var field in fields.Where(f => !f.IsColumn))
            many[field.Name] = await ManyAsync(field, read);
        foreach (var id in read)
        {
            var record = new PyDict { ["id"] = id };
            foreach (var field in fields.Where(f => f.Name != "id"))
                record[field.Name] =
                    field.Name == "display_name" ? shown.GetValueOrDefault(id, "")
                    : !field.IsColumn ? many[field.Name].GetValueOrDefault(id, [])
                    : Value(field, rows[id][columns.IndexOf(field) + 1], linked);
            answer.Add(record);
        }
        return answer;
    }

    public async Task<List<long>> CreateAsync(IReadOnlyList<PyDict> all)
    {
        env.Check(model, Operation.Create);
        var ids = new List<long>();
        foreach (var given in all)
            ids.Add(await InsertAsync(given));
        await env.Refusals.CheckAsync(env, model.Name, ids);
        return ids;
    }

    public async Task WriteAsync(IReadOnlyCollection<long> ids, PyDict values)
    {
        env.Check(model, Operation.Write);
        if (ids.Count == 0)
            return;
        var fields = Known([.. values.Keys]);
        await CheckThereAsync(ids);
        await CheckLinksAsync(values, fields);
        var set = new List<string>();
        var arguments = new List<object?> { ids.ToArray() };
        foreach (var field in fields.Where(f => f.IsColumn && f.Name != "id"))
        {
            arguments.Add(FieldValues.ToColumn(field, values[field.Name], env.Language));
            var placeholder = FieldValues.Placeholder(field, arguments.Count);
            set.Add($"{Quoted(field)} = {(field.IsTranslated ? $"coalesce({Quoted(field)}, '{{}}') || {placeholder}" : placeholder)}");
        }
        set.Add(string.Create(CultureInfo.InvariantCulture, $"write_uid = {env.Uid}"));
        set.Add($"write_date = {Now}");
        await env.ExecuteAsync($"UPDATE {model.Table} SET {string.Join(", ", set)} WHERE id = ANY($1)", [.. arguments]);
        foreach (var field in fields.Where(f => f.Type == FieldType.Many2Many))
        foreach (var id in ids)
            await LinkAsync(field, id, values[field.Name]);
        if (model.Name == "loyalty.card" && values.ContainsKey("program_id"))
            await CompanyOfProgramAsync("id", ids);
        if (model.Name == "loyalty.program" && values.ContainsKey("company_id"))
            await CompanyOfProgramAsync("program_id", ids);
        await env.Refusals.CheckAsync(env, model.Name, ids);
    }

    /// <summary>With their external ids.</summary>
    public async Task UnlinkAsync(IReadOnlyCollection<long> ids)
    {
        env.Check(model, Operation.Unlink);
        await CheckThereAsync(ids);
        await env.ExecuteAsync($"DELETE FROM {model.Table} WHERE id = ANY($1)", ids.ToArray());
        await env.ExecuteAsync("DELETE FROM ir_model_data WHERE model = $1 AND res_id = ANY($2)", model.Name, ids.ToArray());
    }

    public async Task CheckThereAsync(IReadOnlyCollection<long> ids)
    {
        var there = await env.RowsAsync($"SELECT id FROM {model.Table} WHERE id = ANY($1)", ids.ToArray());
        var missing = ids.Except(there.Select(r => (long)(int)r[0]!)).ToList();
        if (missing.Count > 0)
            throw OdooError.Missing(model.Name, missing, env.Uid);
    }

    private async Task<long> InsertAsync(PyDict given)
    {
        var values = new PyDict();
        foreach (var (name, value) in model.Defaults.Where(d => !given.ContainsKey(d.Key)))
            values[name] = value;
        foreach (var (name, value) in given)
            values[name] = value;
        if (model.Name == "loyalty.card" && !values.ContainsKey("code"))
            values["code"] = "044" + Guid.NewGuid().ToString()[7..18];
        var fields = Known([.. values.Keys]);
        await CheckLinksAsync(values, fields);
        var columns = new List<string> { "create_uid", "create_date", "write_uid", "write_date" };
        var uid = env.Uid.ToString(CultureInfo.InvariantCulture);
        var expressions = new List<string> { uid, Now, uid, Now };
        var arguments = new List<object?>();
        foreach (var field in fields.Where(f => f.IsColumn && f.Name != "id"))
        {
            arguments.Add(FieldValues.ToColumn(field, values[field.Name], env.Language));
            columns.Add(Quoted(field));
            expressions.Add(FieldValues.Placeholder(field, arguments.Count));
        }
        // 16 computes the company in a second statement, as its WAL shows.
        if (model.Name == "loyalty.card" && env.Models.Major > 16 && values.GetValueOrDefault("program_id") is long program)
        {
            arguments.Add(program);
            columns.Add("company_id");
            expressions.Add($"(SELECT company_id FROM loyalty_program WHERE id = ${arguments.Count})");
        }
        var id = (long)
            (int)
                (
                    await env.ScalarAsync(
                        $"INSERT INTO {model.Table} ({string.Join(", ", columns)}) VALUES ({string.Join(", ", expressions)}) RETURNING id",
                        [.. arguments]
                    )
                )!;
        if (model.Name == "loyalty.card" && env.Models.Major == 16)
            await CompanyOfProgramAsync("id", [id]);
        foreach (var field in fields.Where(f => f.Type == FieldType.Many2Many))
            await LinkAsync(field, id, values[field.Name]);
        return id;
    }

    private Task<int> CompanyOfProgramAsync(string column, IReadOnlyCollection<long> ids) =>
        env.ExecuteAsync(
            $"UPDATE loyalty_card c SET company_id = (SELECT company_id FROM loyalty_program p WHERE p.id = c.program_id), write_uid = {env.Uid.ToString(CultureInfo.InvariantCulture)}, write_date = {Now} WHERE c.{column} = ANY($1)",
            ids.ToArray()
        );

    /// <summary>Commands of a many-to-many field: 3 unlink, 4 link, 5 clear, 6 replace.</summary>
    private async Task LinkAsync(OdooField field, long id, object? commands)
    {
        var (table, own, other) = field.Through;
        foreach (var command in (commands as List<object?> ?? []).OfType<List<object?>>())
        {
            if (command is [5L, ..] or [6L, ..])
                await env.ExecuteAsync($"DELETE FROM {table} WHERE {own} = $1", id);
            if (command is [3L, long unlinked, ..])
                await env.ExecuteAsync($"DELETE FROM {table} WHERE {own} = $1 AND {other} = $2", id, unlinked);
            long[] linked = command switch
            {
                [4L, long one, ..] => [one],
                [6L, _, List<object?> several] => [.. several.OfType<long>()],
                _ => [],
            };
            if (linked.Length > 0)
                await env.ExecuteAsync($"INSERT INTO {table} ({own}, {other}) SELECT $1, unnest($2) ON CONFLICT DO NOTHING", id, linked);
        }
    }

    /// <summary>A relation that leads to nothing is found before the foreign key would be.</summary>
    private async Task CheckLinksAsync(PyDict values, IEnumerable<OdooField> fields)
    {
        foreach (var field in fields.Where(f => f.Type == FieldType.Many2One))
            if (values[field.Name] is long id && env.Models.Find(field.Relation!) is { } other)
                await new ModelRecords(env, other).CheckThereAsync([id]);
    }

    private async Task<Dictionary<(string, long), string>> NamesOfAsync(List<OdooField> columns, IEnumerable<object?[]> rows)
    {
        var names = new Dictionary<(string, long), string>();
        foreach (var (field, place) in columns.Select((f, i) => (f, i + 1)).Where(c => c.f.Type == FieldType.Many2One))
            if (env.Models.Find(field.Relation!) is { } other)
                foreach (
                    var (id, name) in await DisplayNames.OfAsync(
                        env,
                        other,
                        [.. rows.Select(r => r[place]).OfType<int>().Select(i => (long)i).Distinct()]
                    )
                )
                    names[(field.Name, id)] = name;
        return names;
    }

    private async Task<Dictionary<long, List<object?>>> ManyAsync(OdooField field, List<long> ids)
    {
        var (table, own, other) = field.Through;
        var value = field.Type == FieldType.One2Many ? "id" : other;
        var rows = await env.RowsAsync($"SELECT {own}, {value} FROM {table} WHERE {own} = ANY($1) ORDER BY 2", ids.ToArray());
        return rows.GroupBy(r => (long)(int)r[0]!).ToDictionary(g => g.Key, g => g.Select(r => (object?)(long)(int)r[1]!).ToList());
    }

    private object? Value(OdooField field, object? column, Dictionary<(string, long), string> names) =>
        field.Type == FieldType.Many2One && column is int id
            ? new List<object?> { (long)id, names.GetValueOrDefault((field.Name, id), "") }
            : FieldValues.FromColumn(field, column, env.Language);

    /// <exception cref="OdooError">A field is unknown.</exception>
    private List<OdooField> Known(IReadOnlyList<string> names) =>
        [
            .. names.Select(name =>
                model.Fields.GetValueOrDefault(name)
                ?? (
                    name == "display_name"
                        ? new OdooField(name, "Display Name", FieldType.Char)
                        : throw OdooError.Value($"Invalid field '{name}' on model '{model.Name}'")
                )
            ),
        ];

    private string Order(string order)
    {
        var terms = new List<string>();
        foreach (var part in order.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!model.Fields.TryGetValue(words[0], out var field) || !field.IsColumn)
                throw OdooError.Value($"Invalid field '{words[0]}' on model '{model.Name}'");
            terms.Add(Quoted(field) + (words.Length > 1 && words[1].Equals("desc", StringComparison.OrdinalIgnoreCase) ? " DESC" : ""));
        }
        return string.Join(", ", terms.Append("id").Distinct());
    }

    private static string Quoted(OdooField field) => $"\"{field.Name}\"";
}
