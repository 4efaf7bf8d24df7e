using System.Buffers.Binary;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;

namespace Cdc.Tests.Unit.Core;

/// <summary>Changes of a table with a key and two columns, without a server.</summary>
internal static class SampleChanges
{
    /// <summary>As a column's text: a TOAST value that was not sent.</summary>
    public const string Unchanged = "(unchanged)";

    public static ChangePosition At(ulong lsn, long ordinal = 0, int generation = 1) => new(generation, new Lsn(lsn), ordinal);

    public static RowChange Row(RowChangeKind kind, long key, ulong lsn = 100, long ordinal = 0, int entity = 0, params string?[] values) =>
        new()
        {
            Transaction = kind == RowChangeKind.Read ? null : new SourceTransaction(7, new Lsn(lsn), 0),
            Schema = Schema(entity),
            Kind = kind,
            Key = key,
            Position = At(lsn, ordinal),
            Image = kind == RowChangeKind.Delete ? default : Image(values),
            CommitMicros = 0,
        };

    public static TableSchema Schema(int entity = 0) =>
        new(entity, 0, "public.sample", [new("id", 23, true), new("a", 25, false), new("b", 25, false)], [0, 1, 2], 3, RowFormat.PgOutput);

    /// <summary>A tuple as pgoutput sends it; columns that are not given are NULL.</summary>
    public static RowImage Image(params string?[] values)
    {
        var bytes = new List<byte> { 0, 3 };
        for (var column = 0; column < 3; column++)
        {
            var value = column < values.Length ? values[column] : null;
            bytes.Add(
                (byte)(
                    value switch
                    {
                        null => 'n',
                        Unchanged => 'u',
                        _ => 't',
                    }
                )
            );
            if (value is null or Unchanged)
                continue;
            var length = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, Encoding.UTF8.GetByteCount(value));
            bytes.AddRange(length);
            bytes.AddRange(Encoding.UTF8.GetBytes(value));
        }
        return new RowImage([.. bytes], 0, bytes.Count);
    }
}
