using Cdc.Core.Postgres;

namespace Cdc.Core.Entities;

/// <summary>Which types of a source's catalog can be read as which declared type.</summary>
public static class SourceTypes
{
    /// <summary>
    /// True if rows whose column has this type can be read as declared. char(n) cannot: its padding has no meaning in PostgreSQL,
    /// but is on the wire.
    /// </summary>
    public static bool CanRead(SourceType declared, uint typeOid) =>
        declared switch
        {
            SourceType.Integer => typeOid is TypeOids.Int2 or TypeOids.Int4 or TypeOids.Int8,
            SourceType.Float => typeOid is TypeOids.Float4 or TypeOids.Float8,
            SourceType.Numeric => typeOid is TypeOids.Numeric,
            SourceType.Text => typeOid is TypeOids.Text or TypeOids.Varchar,
            SourceType.Boolean => typeOid is TypeOids.Bool,
            SourceType.Timestamp => typeOid is TypeOids.Timestamp,
            SourceType.TimestampTz => typeOid is TypeOids.TimestampTz,
            SourceType.Date => typeOid is TypeOids.Date,
            SourceType.Uuid => typeOid is TypeOids.Uuid,
            SourceType.Json => typeOid is TypeOids.Json or TypeOids.Jsonb,
            SourceType.Bytes => typeOid is TypeOids.Bytea,
            SourceType.Jsonb => typeOid is TypeOids.Jsonb,
            SourceType.Number => CanRead(SourceType.Integer, typeOid)
                || CanRead(SourceType.Float, typeOid)
                || CanRead(SourceType.Numeric, typeOid),
            _ => false,
        };

    /// <summary>Bytes of an integer's or float's value; 0 for any other type.</summary>
    public static int WidthOf(uint typeOid) =>
        typeOid switch
        {
            TypeOids.Int2 => 2,
            TypeOids.Int4 or TypeOids.Float4 => 4,
            TypeOids.Int8 or TypeOids.Float8 => 8,
            _ => 0,
        };

    /// <summary>As what a column of this type is best declared; null: as nothing.</summary>
    public static SourceType? DeclaredAs(uint typeOid) =>
        typeOid switch
        {
            // One and the same field of Odoo is either, as its digits say.
            TypeOids.Float4 or TypeOids.Float8 or TypeOids.Numeric => SourceType.Number,
            TypeOids.Json => SourceType.Json,
            TypeOids.Jsonb => SourceType.Jsonb,
            _ => Enum.GetValues<SourceType>().Where(t => CanRead(t, typeOid)).Cast<SourceType?>().FirstOrDefault(),
        };
}
