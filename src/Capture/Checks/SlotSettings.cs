using Cdc.Capture.Slot;
using Cdc.Capture.Stream;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Checks;

/// <summary>A slot that logical slots wait for, as far as the server has it.</summary>
/// <param name="IsPhysical">Null: there is no slot of that name.</param>
internal sealed record AwaitedSlot(string Name, bool? IsPhysical, bool IsActive, bool IsLost);

/// <summary>
/// Settings of newer versions that refuse our slot, end it, or hold its stream back. Each is null where the server has no such setting, or
/// does not show it.
/// </summary>
/// <param name="OutputPlugins">The plugins that may be used (minor versions from August 2026).</param>
/// <param name="IdleTimeout">After so long without a reader a slot is given up (18); with its unit.</param>
/// <param name="Awaited">Streams of slots with failover wait for these (17).</param>
/// <param name="HasStandbys">There are physical slots.</param>
internal sealed record SlotSettings(string? OutputPlugins, string? IdleTimeout, IReadOnlyList<AwaitedSlot> Awaited, bool HasStandbys)
{
    /// <summary>It passes when the setting is corrected, or the standby is back; until then the stream waits.</summary>
    public const string Standbys = "standby-slots";

    private const string SettingsSql = """
        SELECT (SELECT setting FROM pg_settings WHERE name = 'output_plugin_libraries'), nullif(current_setting('idle_replication_slot_timeout', true), '0'),
               coalesce(current_setting('synchronized_standby_slots', true), ''),
               EXISTS (SELECT FROM pg_replication_slots WHERE slot_type = 'physical')
        """;

    private const string AwaitedSql = """
        SELECT n.name, s.slot_type = 'physical', coalesce(s.active, false),
               coalesce(s.wal_status = 'lost' OR to_jsonb(s) ->> 'invalidation_reason' IS NOT NULL, false)
        FROM unnest($1::text[]) n(name) LEFT JOIN pg_replication_slots s ON s.slot_name = n.name
        """;

    public static async Task<SlotSettings> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var (settings, awaited) = (
            await connection
                .Statement(SettingsSql)
                .RowsAsync(
                    row => (new SlotSettings(Text(row, 0), Text(row, 1), [], row.GetBoolean(3)), NameList.Parse(row.GetString(2))),
                    ct
                )
        ).Single();
        return awaited.Count == 0
            ? settings
            : settings with
            {
                Awaited = await connection.Statement(AwaitedSql, [awaited.ToArray()]).RowsAsync(Awaits, ct),
            };
    }

    /// <param name="slot">Ours; null where there is none yet.</param>
    public IEnumerable<Finding> Findings(SlotInfo? slot, string database) =>
        [.. Plugin(), .. Timeout(slot), .. slot is { IsLost: false } ? Failover(slot, database) : []];

    private IEnumerable<Finding> Plugin()
    {
        if (OutputPlugins is { } plugins && !NameList.Parse(plugins).Contains(PgOutputSlot.PluginName))
            yield return new Finding(
                "output-plugin",
                IsError: true,
                $"The source lets no slot use {PgOutputSlot.PluginName}: output_plugin_libraries is '{plugins}'.",
                $"Add {PgOutputSlot.PluginName} to output_plugin_libraries where it is set (postgresql.conf, or ALTER SYSTEM), keep the others, "
                    + "then: SELECT pg_reload_conf();"
            );
    }

    private IEnumerable<Finding> Timeout(SlotInfo? slot)
    {
        if (IdleTimeout is not null)
            yield return new Finding(
                "slot-idle-timeout",
                IsError: false,
                $"idle_replication_slot_timeout is {IdleTimeout}: if capture is down for so long, the source gives "
                    + $"{(slot is null ? "its slot" : $"slot {slot.Name}")} up, and everything must be read again.",
                "ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf(); -- max_slot_wal_keep_size bounds what a slot may keep"
            );
    }

    private IEnumerable<Finding> Failover(SlotInfo slot, string database)
    {
        if (slot.IsFailover == true)
            return Awaited.Select(a => Stalls(a, slot)).OfType<Finding>();
        return slot.IsFailover == false && (HasStandbys || Awaited.Count > 0)
            ?
            [
                new Finding(
                    "slot-failover",
                    IsError: false,
                    $"Slot {slot.Name} is not copied to standbys (failover is off): after a failover it is gone, and everything must be read again.",
                    "Stop 'cdc run', then on a replication connection: "
                        + $"psql \"dbname={database} replication=database\" -c 'ALTER_REPLICATION_SLOT {slot.Name} (FAILOVER true)'; start it again. "
                        + "The standby needs sync_replication_slots = on, and the source its slot in synchronized_standby_slots."
                ),
            ]
            : [];
    }

    private static Finding? Stalls(AwaitedSlot awaited, SlotInfo slot)
    {
        var reason =
            awaited.IsPhysical is null ? "which does not exist"
            : awaited.IsPhysical == false ? "which is not the slot of a standby"
            : awaited.IsLost ? "which is lost"
            : !awaited.IsActive ? "which no standby reads"
            : null;
        return reason is null
            ? null
            : new Finding(
                Standbys,
                IsError: true,
                $"The stream of slot {slot.Name} waits: synchronized_standby_slots names {awaited.Name}, {reason}.",
                awaited is { IsPhysical: true, IsLost: false }
                    ? $"Start the standby of {awaited.Name}, or take the name out of synchronized_standby_slots; then SELECT pg_reload_conf();"
                    : $"Take {awaited.Name} out of synchronized_standby_slots, then: SELECT pg_reload_conf();"
            );
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static AwaitedSlot Awaits(NpgsqlDataReader row) =>
        new(row.GetString(0), row.IsDBNull(1) ? null : row.GetBoolean(1), row.GetBoolean(2), row.GetBoolean(3));
}
