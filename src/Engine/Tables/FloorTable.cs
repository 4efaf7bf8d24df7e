namespace Cdc.Engine.Tables;

/// <summary>
/// cdc.floors: the position of each entity's last truncate, to which everything older loses. Written with it
/// (<see cref="Rows.UpsertSql"/>).
/// </summary>
internal static class FloorTable
{
    public const string AllSql = "SELECT entity, generation, lsn, ordinal FROM cdc.floors";
}
