using System.Globalization;
using System.Text.RegularExpressions;
using Cdc.Capture.Source;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Checks;

/// <summary>The Odoo that is installed in the source, and the preset that is made for it.</summary>
/// <param name="Version">As its list of modules has it, such as <c>19.0.1.3</c>; null: the role may not read that, and its columns tell.</param>
/// <param name="Major">Such as 19.</param>
/// <param name="HasPointMoves">An add-on keeps loyalty.point.move and loyalty.point.history.</param>
/// <param name="HasFrozenPoints">loyalty_card has a column of points that this Odoo does not write any more.</param>
public sealed partial record OdooInstallation(string? Version, int Major, bool HasPointMoves, bool HasFrozenPoints)
{
    public const string WrongPreset = "preset-version";
    public const string FrozenPoints = "points-frozen";
    public const string FittingPreset = "preset-fits";

    private const int First = 16;
    private const int Last = 20;

    // From the catalog, which every role may read: to_regclass() fails where the role may not use the schema.
    private const string ColumnsSql = """
        SELECT c.relname || '.' || a.attname, has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relname IN ('ir_module_module', 'ir_model_fields', 'loyalty_card', 'loyalty_program', 'loyalty_history', 'loyalty_point_move',
                            'loyalty_point_history', 'res_partner')
        """;

    private const string VersionSql = "SELECT latest_version FROM public.ir_module_module WHERE name = 'base'";
    private const string StoredSql =
        "SELECT store FROM public.ir_model_fields WHERE model = 'loyalty.card' AND name = 'points' AND store IS NOT NULL";

    /// <summary>Null: there is none for this version.</summary>
    public string? Preset =>
        Major is < First or > Last ? null
        : HasPointMoves && Major == First ? $"odoo-{First}-points"
        : string.Create(CultureInfo.InvariantCulture, $"odoo-{Major}");

    public override string ToString() => $"Odoo {Major}{(Version is null ? " (by its columns)" : $" (base {Version})")}";

    /// <returns>Null: no Odoo with loyalty cards is installed there.</returns>
    /// <exception cref="NpgsqlException">See <see cref="SourceFailure.Of"/>.</exception>
    public static async Task<OdooInstallation?> FindAsync(SourceOptions options, CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        return await ReadAsync(connection, ct);
    }

    internal static async Task<OdooInstallation?> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var rows = await connection.Statement(ColumnsSql).RowsAsync(r => (Name: r.GetString(0), MayRead: r.GetBoolean(1)), ct);
        var columns = rows.ToDictionary(r => r.Name, r => r.MayRead, StringComparer.Ordinal);
        // Tables of a test have no list of modules: that is no Odoo.
        if (!columns.ContainsKey("ir_module_module.latest_version") || !columns.ContainsKey("loyalty_card.code"))
            return null;
        var version = columns["ir_module_module.latest_version"] ? await TextAsync(connection, VersionSql, ct) : null;
        var isStored = columns.GetValueOrDefault("ir_model_fields.store") ? await TextAsync(connection, StoredSql, ct) : null;
        var major = MajorOf(version) ?? ByColumns(columns.ContainsKey);
        return new OdooInstallation(
            version,
            major,
            columns.ContainsKey("loyalty_point_move.id") && columns.ContainsKey("loyalty_point_history.id"),
            columns.ContainsKey("loyalty_card.points") && (isStored is not null ? isStored == "False" : major >= Last)
        );
    }

    /// <summary>What is wrong with a declaration over this Odoo.</summary>
    internal IEnumerable<Finding> Findings(EntitySet entities, bool fits)
    {
        var readsPoints = entities.All.Any(e => e is { SourceTable: "loyalty_card" } && e.SourceColumns.Any(c => c.Name == "points"));
        if (HasFrozenPoints && readsPoints)
            yield return new Finding(
                FrozenPoints,
                IsError: true,
                $"{this} does not write loyalty_card.points any more: the column was left behind, with the points of the day of the upgrade.",
                Instead
            );
        else if (entities.Preset is { } preset && MajorOfPreset(preset) != Major)
            yield return new Finding(
                WrongPreset,
                // With 20 the points are elsewhere; between the others something is only not read.
                IsError: Major >= Last || MajorOfPreset(preset) >= Last,
                $"The declaration is the preset {preset}, and the source is {this}.",
                Instead
            );
        else if (!fits)
            yield return new Finding(FittingPreset, IsError: false, $"The source is {this}.", Instead);
    }

    private string Instead =>
        Preset is { } preset
            ? $"export CDC__Entities={preset}; or include it in the declaration: \"include\": \"{preset}\"."
            : "There is no preset for it: 'cdc entities propose TABLE…' writes a declaration of what is there.";

    private static async Task<string?> TextAsync(NpgsqlConnection connection, string sql, CancellationToken ct) =>
        (await connection.Statement(sql).RowsAsync(r => r.IsDBNull(0) ? null : r.GetValue(0).ToString(), ct)).FirstOrDefault();

    private static int? MajorOf(string? version) =>
        version is not null && MajorPattern().Match(version) is { Success: true } match
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : null;

    private static int MajorOfPreset(string preset) =>
        int.TryParse(preset.Split('-').ElementAtOrDefault(1), CultureInfo.InvariantCulture, out var major) ? major : 0;

    private static int ByColumns(Func<string, bool> has) =>
        has("loyalty_history.points_changed_date") ? 20
        // What 18 and 19 have of cards is the same; this column of contacts went with 19.
        : has("loyalty_history.id")
            ? has("res_partner.id") && !has("res_partner.mobile") ? 19
                : 18
        : has("loyalty_program.date_from") && !has("loyalty_point_move.id") ? 17
        : 16;

    /// <summary>19.0.1.3, or saas~18.2.1.3 of Odoo Online.</summary>
    [GeneratedRegex(@"^(?:saas~)?(\d+)\.")]
    private static partial Regex MajorPattern();
}
