using Cdc.Engine.Tables;

namespace Cdc.Engine.Rows;

/// <summary>
/// What the engine knows of single rows, as parts of statements that show them. Entities are SQL literals, keys are expressions.
/// </summary>
public static class RowStateSql
{
    /// <summary>Changes whenever an entry of the quarantine is made, is tried again or goes. An expression.</summary>
    public const string QuarantineMark =
        "(SELECT concat_ws(':', count(*), sum(attempts), count(*) FILTER (WHERE retry_requested), max(last_seen)) FROM cdc.quarantine)";

    /// <summary>All entries of an entity, to be read FROM.</summary>
    public static string QuarantineOf(string entity) => $"cdc.quarantine WHERE entity = {entity}";

    /// <summary>To be joined: the row's entry in quarantine, which has a reason.</summary>
    public static string QuarantineEntry(string alias, string entity, string key) =>
        $"cdc.quarantine {alias} ON {alias}.entity = {entity} AND {alias}.key = {key}";

    /// <summary>To be joined: the entry of a row that is read again, because a column of it is not known.</summary>
    public static string RereadEntry(string alias, string entity, string key) =>
        $"cdc.rereads {alias} ON {alias}.entity = {entity} AND {alias}.key = {key}";

    /// <summary>
    /// Whether a range with the key is still to be read, or it was not there when it was and it is not decided what becomes of it. An
    /// expression.
    /// </summary>
    public static string IsToBeRead(string entity, string key) =>
        $"(EXISTS (SELECT FROM cdc.chunks h WHERE h.entity = {entity} AND h.state = 'pending' AND (h.from_key IS NULL OR h.from_key <= {key}) AND (h.to_key IS NULL OR h.to_key > {key})) OR {HeldTable.Holds(entity, key)})";
}
