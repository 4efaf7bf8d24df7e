using Cdc.Tests.Support.Odoo.Models;

namespace Cdc.Tests.Support.Odoo.Orm;

/// <summary>What a record is called where others refer to it.</summary>
internal static class DisplayNames
{
    public static async Task<Dictionary<long, string>> OfAsync(OdooEnvironment env, OdooModel model, IReadOnlyCollection<long> ids)
    {
        if (ids.Count == 0)
            return [];
        var rows = await env.RowsAsync($"SELECT id, {Sql(model)} FROM {model.Table} t WHERE id = ANY($1)", ids.ToArray());
        return rows.ToDictionary(r => (long)(int)r[0]!, r => r[1]?.ToString() ?? "");
    }

    private static string Sql(OdooModel model) =>
        model.Name switch
        {
            "loyalty.card" => "concat_ws(': ', (SELECT name ->> 'en_US' FROM loyalty_program p WHERE p.id = t.program_id), code)",
            "ir.config_parameter" => "key",
            "loyalty.history" => "'loyalty.history,' || id",
            _ when model.Fields["name"].IsTranslated => "name ->> 'en_US'",
            _ => "name",
        };
}
