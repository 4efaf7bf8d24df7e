using Cdc.Core.Changes;

namespace Cdc.Engine.Tables;

/// <summary>The source as the engine has followed it so far.</summary>
/// <param name="DatabaseOid">Null: not known yet.</param>
/// <param name="DatabaseUuid">Odoo's own; null: not known, because cdc may not read it, or it is no Odoo.</param>
/// <param name="Written">Written down before the last confirmation to the slot.</param>
/// <param name="Through">All commits that start below it are applied.</param>
public sealed record FollowedSource(
    SourceState State,
    int Generation,
    string SystemIdentifier,
    int Timeline,
    string Database,
    string Slot,
    string Publication,
    Lsn Written,
    Lsn Through,
    string? GapKind,
    string? GapDetail,
    long? DatabaseOid = null,
    string? DatabaseUuid = null
);

/// <summary>A database of the source's server.</summary>
/// <param name="Oid">Stays when the database is renamed; null: not known.</param>
/// <param name="Uuid">Odoo's database.uuid; null: not known.</param>
public sealed record FollowedDatabase(string Name, long? Oid, string? Uuid);

/// <summary>What one source table holds when a generation begins.</summary>
public sealed record PlannedTable(string Entity, TableFingerprint? Fingerprint, long EstimatedRows);
