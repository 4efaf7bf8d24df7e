using System.Buffers.Binary;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Npgsql;

namespace Cdc.Tests.Integration.Entities;

/// <summary>Reads a source table as the pipeline does, by binary COPY.</summary>
internal static class CopiedTable
{
    public static async Task<List<RowImage>> ReadAsync(NpgsqlConnection connection, string query)
    {
        using var bytes = new MemoryStream();
        await using (var copy = await connection.BeginRawBinaryCopyAsync($"COPY ({query}) TO STDOUT (FORMAT BINARY)"))
            await copy.CopyToAsync(bytes);
        return Split(bytes.ToArray());
    }

    /// <summary>The columns with the types that the catalog has.</summary>
    public static async Task<TableSchema> SchemaAsync(NpgsqlConnection connection, string table, IReadOnlyList<SourceColumn> columns)
    {
        await using var command = new NpgsqlCommand(
            "SELECT attname::text, atttypid FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0",
            connection
        )
        {
            Parameters = { new() { Value = table } },
        };
        await using var reader = await command.ExecuteReaderAsync();
        var types = new Dictionary<string, uint>();
        while (await reader.ReadAsync())
            types[reader.GetString(0)] = reader.GetFieldValue<uint>(1);
        return new TableSchema(
            0,
            0,
            table,
            [.. columns.Select(c => new ColumnSchema(c.Name, types[c.Name], false))],
            [.. columns.Select(c => c.Slot)],
            columns.Count,
            RowFormat.Copy
        );
    }

    public static async Task WriteAsync(NpgsqlConnection connection, string table, ReadOnlyMemory<byte> rows)
    {
        await using var copy = await connection.BeginRawBinaryCopyAsync($"COPY {table} FROM STDIN (FORMAT BINARY)");
        await copy.WriteAsync(Header);
        await copy.WriteAsync(rows);
        await copy.WriteAsync(new byte[] { 0xff, 0xff });
    }

    private static readonly byte[] Header =
    [
        (byte)'P',
        (byte)'G',
        (byte)'C',
        (byte)'O',
        (byte)'P',
        (byte)'Y',
        (byte)'\n',
        0xff,
        (byte)'\r',
        (byte)'\n',
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ];

    private static List<RowImage> Split(byte[] copied)
    {
        var rows = new List<RowImage>();
        var at = Header.Length;
        while (BinaryPrimitives.ReadInt16BigEndian(copied.AsSpan(at)) is var fields && fields >= 0)
        {
            var start = at;
            at += 2;
            for (var i = 0; i < fields; i++)
                at += 4 + Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(copied.AsSpan(at)));
            rows.Add(new RowImage(copied, start, at - start));
        }
        return rows;
    }
}
