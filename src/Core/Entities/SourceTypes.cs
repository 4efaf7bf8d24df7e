namespace Cdc.Core.Entities;

/// <summary>Which types of a source's catalog can be read as which declared type.</summary>
public static class SourceTypes
{
    // OIDs of built-in types never change; they are in PostgreSQL's pg_type.dat.
    private const uint Bool = 16,
        Int8 = 20,
        Int2 = 21,
        Int4 = 23,
        Text = 25,
        Float4 = 700,
        Float8 = 701,
        Varchar = 1043,
        Date = 1082,
        Timestamp = 1114,
        TimestampTz = 1184,
        Numeric = 1700,
        Uuid = 2950,
        Json = 114,
        Jsonb = 3802,
        Bytea = 17;

    /// <summary>
    /// True if rows whose column has this type can be read as declared. char(n) cannot: its padding has no meaning in PostgreSQL,
    /// but is on the wire.
    /// </summary>
    public static bool CanRead(SourceType declared, uint typeOid) =>
        declared switch
        {
            SourceType.Integer => typeOid is Int2 or Int4 or Int8,
            SourceType.Float => typeOid is Float4 or Float8,
            SourceType.Numeric => typeOid is Numeric,
            SourceType.Text => typeOid is Text or Varchar,
            SourceType.Boolean => typeOid is Bool,
            SourceType.Timestamp => typeOid is Timestamp,
            SourceType.TimestampTz => typeOid is TimestampTz,
            SourceType.Date => typeOid is Date,
            SourceType.Uuid => typeOid is Uuid,
            SourceType.Json => typeOid is Json or Jsonb,
            SourceType.Bytes => typeOid is Bytea,
            _ => false,
        };

    /// <summary>A PostgreSQL type that can be read as declared, for remedies.</summary>
    public static string Example(SourceType declared) =>
        declared switch
        {
            SourceType.Integer => "integer",
            SourceType.Float => "double precision",
            SourceType.Timestamp => "timestamp",
            SourceType.TimestampTz => "timestamptz",
            SourceType.Bytes => "bytea",
            _ => declared.ToString().ToLowerInvariant(),
        };
}
