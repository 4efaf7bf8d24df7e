namespace Cdc.Core.Postgres;

/// <summary>A type of PostgreSQL that an engine's column can have, or its position.</summary>
/// <param name="Oid">Never changes (pg_type.dat).</param>
/// <param name="Name">PostgreSQL's own, such as <c>int8</c>.</param>
public readonly record struct BuiltInType(uint Oid, string Name)
{
    public static readonly BuiltInType Int8 = new(TypeOids.Int8, "int8");
    public static readonly BuiltInType Int4 = new(TypeOids.Int4, "int4");
    public static readonly BuiltInType PgLsn = new(TypeOids.PgLsn, "pg_lsn");
    public static readonly BuiltInType TimestampTz = new(TypeOids.TimestampTz, "timestamptz");

    public string ArrayName => $"{Name}[]";

    /// <summary>Without its modifiers: they are the column's, which casts what it takes in.</summary>
    public static BuiltInType Of(SqlType type) =>
        type.Family switch
        {
            SqlFamily.Boolean => new(TypeOids.Bool, "bool"),
            SqlFamily.Integer => type.Width switch
            {
                2 => new(TypeOids.Int2, "int2"),
                4 => Int4,
                _ => Int8,
            },
            SqlFamily.Float => new(TypeOids.Float8, "float8"),
            SqlFamily.Numeric => new(TypeOids.Numeric, "numeric"),
            SqlFamily.Text => new(TypeOids.Text, "text"),
            SqlFamily.Timestamp => new(TypeOids.Timestamp, "timestamp"),
            SqlFamily.TimestampTz => TimestampTz,
            SqlFamily.Date => new(TypeOids.Date, "date"),
            SqlFamily.Jsonb => new(TypeOids.Jsonb, "jsonb"),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No column of the engine has this type."),
        };
}
