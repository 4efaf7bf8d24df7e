using System.Collections.Frozen;

namespace Cdc.Core.Postgres;

/// <summary>What an error of PostgreSQL asks for, whichever server it comes from.</summary>
public enum SqlStateClass
{
    /// <summary>The session is gone, or was not accepted just now: connect again.</summary>
    Session,

    /// <summary>A time-out of the server ended the session.</summary>
    Ended,

    /// <summary>No connection is free: max_connections, max_wal_senders, or a CONNECTION LIMIT.</summary>
    Connections,

    /// <summary>
    /// Passes by itself: rolled back, locked, cancelled, out of resources, a fault inside the server. Every unknown code too.
    /// </summary>
    Transient,

    /// <summary>Another process uses the object, such as a slot.</summary>
    InUse,

    /// <summary>The server takes no writes: a standby, or default_transaction_read_only.</summary>
    ReadOnly,

    /// <summary>The server found its own files damaged.</summary>
    Damaged,

    /// <summary>Of a statement that writes rows: the row's own, and any other row may still be written.</summary>
    Row,

    /// <summary>The role or the password was refused.</summary>
    Login,

    /// <summary>No such database.</summary>
    Database,

    /// <summary>A setting of the connection string that cannot be set for a session.</summary>
    Setting,

    /// <summary>A privilege is missing, or row security would hide rows.</summary>
    Privilege,

    /// <summary>The server cannot do this, or not to this table.</summary>
    Feature,

    /// <summary>The server or the object is not in the state that this needs, such as wal_level.</summary>
    State,

    /// <summary>A table, column, function or type is not there, or not what it should be.</summary>
    Object,
}

/// <summary>
/// The class of every SQLSTATE: by code where it matters, else by its first two characters. Only the code decides, never the text, which is
/// translated. What is not in the table waits: an unforeseen error is not a defect of cdc, and a stop would not repair it.
/// </summary>
public static class SqlStates
{
    private static readonly FrozenDictionary<string, SqlStateClass> Table = new Dictionary<string, SqlStateClass>
    {
        // Success, warnings, no data, and a statement that goes on: no failures. Should one be thrown, the next try decides.
        ["00"] = SqlStateClass.Transient,
        ["01"] = SqlStateClass.Transient,
        ["02"] = SqlStateClass.Transient,
        ["03"] = SqlStateClass.Transient,
        // A pooler that refuses our settings answers with 08P01 too.
        ["08"] = SqlStateClass.Session,
        // A trigger of the engine's owner, or what it calls, refuses the row.
        ["09"] = SqlStateClass.Row,
        ["0A"] = SqlStateClass.Feature,
        ["0B"] = SqlStateClass.Transient,
        ["0F"] = SqlStateClass.Transient,
        ["0L"] = SqlStateClass.Privilege,
        ["0P"] = SqlStateClass.Privilege,
        ["0Z"] = SqlStateClass.Transient,
        ["10"] = SqlStateClass.Transient,
        ["20"] = SqlStateClass.Row,
        ["21"] = SqlStateClass.Transient,
        ["22"] = SqlStateClass.Row,
        ["23"] = SqlStateClass.Row,
        ["24"] = SqlStateClass.Transient,
        ["25"] = SqlStateClass.Transient,
        ["25006"] = SqlStateClass.ReadOnly,
        // idle_in_transaction_session_timeout and transaction_timeout end the session, not the statement; so does idle_session_timeout
        // (57P05).
        ["25P03"] = SqlStateClass.Ended,
        ["25P04"] = SqlStateClass.Ended,
        // 26000 and 42P05: a pooler in transaction mode gave the statement to another backend.
        ["26"] = SqlStateClass.Transient,
        ["27"] = SqlStateClass.Row,
        ["28"] = SqlStateClass.Login,
        ["2B"] = SqlStateClass.State,
        ["2D"] = SqlStateClass.Transient,
        ["2F"] = SqlStateClass.Transient,
        ["34"] = SqlStateClass.Transient,
        ["38"] = SqlStateClass.Row,
        ["39"] = SqlStateClass.Transient,
        ["3B"] = SqlStateClass.Transient,
        ["3D"] = SqlStateClass.Database,
        ["3F"] = SqlStateClass.Object,
        ["40"] = SqlStateClass.Transient,
        ["42"] = SqlStateClass.Object,
        ["42501"] = SqlStateClass.Privilege,
        ["42P05"] = SqlStateClass.Transient,
        ["42P03"] = SqlStateClass.Transient,
        ["44"] = SqlStateClass.Row,
        ["53"] = SqlStateClass.Transient,
        ["53300"] = SqlStateClass.Connections,
        // Too long for an index or for a page: 54000 is about a value. The others are about the statement, and no other row would pass.
        ["54000"] = SqlStateClass.Row,
        ["54"] = SqlStateClass.Feature,
        ["55"] = SqlStateClass.State,
        ["55006"] = SqlStateClass.InUse,
        ["55P02"] = SqlStateClass.Setting,
        ["55P03"] = SqlStateClass.Transient,
        ["55P04"] = SqlStateClass.Transient,
        ["57"] = SqlStateClass.Session,
        ["57P05"] = SqlStateClass.Ended,
        // Ended by statement_timeout, or by an administrator. The session goes on.
        ["57014"] = SqlStateClass.Transient,
        ["58"] = SqlStateClass.Transient,
        ["72"] = SqlStateClass.Transient,
        ["F0"] = SqlStateClass.Transient,
        ["HV"] = SqlStateClass.Transient,
        // PL/pgSQL: what RAISE and ASSERT of a trigger say of the row.
        ["P0"] = SqlStateClass.Row,
        ["XX"] = SqlStateClass.Transient,
        ["XX001"] = SqlStateClass.Damaged,
        ["XX002"] = SqlStateClass.Damaged,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The class of a five-character code; <see cref="SqlStateClass.Transient"/> where the table has none.</summary>
    public static SqlStateClass Of(string sqlState) => Find(sqlState) ?? SqlStateClass.Transient;

    /// <summary>Null: the table has neither the code nor its first two characters.</summary>
    public static SqlStateClass? Find(string sqlState) =>
        Table.TryGetValue(sqlState, out var exact) ? exact
        : sqlState.Length >= 2 && Table.TryGetValue(sqlState[..2], out var general) ? general
        : null;

    /// <summary>Of a statement that writes rows: one of them is refused, and without it the others may pass.</summary>
    public static bool IsOfRow(string sqlState) => Of(sqlState) == SqlStateClass.Row;

    /// <summary>The session cannot be asked any more, or was never opened.</summary>
    public static bool IsOfSession(string sqlState) =>
        Of(sqlState) is SqlStateClass.Session or SqlStateClass.Ended or SqlStateClass.Connections;

    /// <summary>
    /// Of a statement about one object: the server refuses it, and another object may pass. Not an unreachable or busy server.
    /// </summary>
    public static bool IsRefusal(string sqlState) =>
        Of(sqlState)
            is SqlStateClass.Row
                or SqlStateClass.Privilege
                or SqlStateClass.Feature
                or SqlStateClass.State
                or SqlStateClass.Object;
}
