using Cdc.Core.Changes;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Core.Postgres;

/// <summary>Columns of a row that may be NULL, or whose type is the pipeline's own.</summary>
public static class RowColumns
{
    /// <summary>The value, or the type's default for NULL.</summary>
    public static T? Get<T>(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? default : row.GetFieldValue<T>(column);

    public static long? Long(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    public static double? Double(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetDouble(column);

    /// <summary>A timestamptz, in UTC.</summary>
    public static DateTimeOffset? Time(this NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : new DateTimeOffset(DateTime.SpecifyKind(row.GetDateTime(column), DateTimeKind.Utc));

    public static Lsn Lsn(this NpgsqlDataReader row, int column) => new((ulong)row.GetFieldValue<NpgsqlLogSequenceNumber>(column));
}
