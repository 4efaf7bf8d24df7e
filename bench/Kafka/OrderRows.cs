using System.Buffers.Binary;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;
using Cdc.Tests.Support.Records;

namespace Cdc.Bench.Kafka;

/// <summary>Orders as Odoo's stream has them: a card's update and a new history row, in one transaction each.</summary>
internal static class OrderRows
{
    public static IReadOnlyList<RowChange> Make(int orders)
    {
        var (card, history) = (Table("card"), Table("history"));
        var changes = new List<RowChange>(2 * orders);
        for (var i = 1; i <= orders; i++)
        {
            var transaction = new SourceTransaction(
                (ulong)(1_000_000 + i),
                new Lsn(0x16_0000_0000 + 400UL * (ulong)i),
                843_000_000_000_000 + 1_000L * i
            );
            changes.Add(Change(card, RowChangeKind.Update, 1 + i % 5_000, i, transaction, 0));
            changes.Add(Change(history, RowChangeKind.Insert, i, i, transaction, 1));
        }
        return changes;
    }

    private static (EntityDeclaration Entity, TableSchema Schema) Table(string entity)
    {
        var declared = DeliveredTables.Entities.Find(entity)!;
        return (declared, DeliveredTables.SchemaOf(declared));
    }

    private static RowChange Change(
        (EntityDeclaration Entity, TableSchema Schema) table,
        RowChangeKind kind,
        long key,
        int order,
        SourceTransaction transaction,
        long ordinal
    ) =>
        new()
        {
            Transaction = transaction,
            Schema = table.Schema,
            Kind = kind,
            Key = key,
            Position = new ChangePosition(1, transaction.CommitLsn, ordinal),
            Image = SampleTable.Image([.. table.Entity.SourceColumns.Select(c => Value(c, c.Slot == table.Entity.Key.Slot, key, order))]),
            CommitMicros = transaction.CommitMicros,
        };

    private static byte[]? Value(SourceColumn column, bool isKey, long key, int order)
    {
        if (!isKey && column.Slot % 7 == 6)
            return null;
        var bytes = new byte[column.Type is SourceType.Integer ? 4 : 8];
        switch (column.Type)
        {
            case SourceType.Integer:
                BinaryPrimitives.WriteInt32BigEndian(bytes, isKey ? (int)key : order % 10_000);
                return bytes;
            case SourceType.Float:
                BinaryPrimitives.WriteDoubleBigEndian(bytes, order / 4d);
                return bytes;
            case SourceType.Timestamp:
                BinaryPrimitives.WriteInt64BigEndian(bytes, 843_000_000_000_000 + order);
                return bytes;
            default:
                return Encoding.UTF8.GetBytes($"044c-{order:D8}-{key:D6}");
        }
    }
}
