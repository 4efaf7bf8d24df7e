namespace Cdc.Core.Postgres;

/// <summary>OIDs of built-in types: they never change, and are in PostgreSQL's pg_type.dat.</summary>
public static class TypeOids
{
    public const uint Bool = 16,
        Bytea = 17,
        Int8 = 20,
        Int2 = 21,
        Int4 = 23,
        Text = 25,
        Json = 114,
        Float4 = 700,
        Float8 = 701,
        Varchar = 1043,
        Date = 1082,
        Timestamp = 1114,
        TimestampTz = 1184,
        Numeric = 1700,
        Uuid = 2950,
        PgLsn = 3220,
        Jsonb = 3802;
}
