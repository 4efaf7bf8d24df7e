using System.Buffers.Binary;
using System.Text;
using Cdc.Apply;
using Cdc.Apply.Rows;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Apply;

/// <summary>Rows that are committed at once, into two tables of a real engine, and what sends them the other way.</summary>
public sealed class FewRowsTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_one_commit_has_written_is_not_in_the_next_one()
    {
        await using var bed = await Bed.CreateAsync(servers);
        bed.Put("one", 1, "a");
        bed.Put("one", 2, "b");
        bed.Put("two", 1, "c");
        Assert.True(await bed.AtOnceAsync());
        bed.Put("one", 2, "longer than before");
        bed.Put("one", 3, null);
        Assert.True(await bed.AtOnceAsync());
        Assert.Equal(["1 a", "2 longer than before", "3 -"], await bed.RowsAsync("one"));
        Assert.Equal(["1 c"], await bed.RowsAsync("two"));
        // Written again, an older row loses to the newer one that is there: unless none is.
        bed.Delete("one", 2);
        Assert.False(await bed.AtOnceAsync());
        await bed.StageAsync();
        bed.Put("one", 4, "d");
        Assert.True(await bed.AtOnceAsync());
        Assert.Equal(["1 a", "3 -", "4 d"], await bed.RowsAsync("one"));
    }

    [Fact]
    public async Task A_row_that_is_refused_in_the_second_table_undoes_the_first_and_goes_to_quarantine_alone()
    {
        await using var bed = await Bed.CreateAsync(servers);
        await bed.Engine.ExecuteAsync("ALTER TABLE two ADD CHECK (a <> 'bad')", Ct);
        bed.Put("one", 1, "a");
        bed.Put("two", 1, "good");
        bed.Put("two", 2, "bad");
        Assert.False(await bed.AtOnceAsync());
        Assert.Empty(await bed.RowsAsync("one"));
        await bed.StageAsync();
        Assert.Equal(["1 a", "1 good"], [.. await bed.RowsAsync("one"), .. await bed.RowsAsync("two")]);
        Assert.Equal(["two 2"], await bed.Engine.RowsAsync("SELECT entity || ' ' || key FROM cdc.quarantine", Ct));
        // It was that row's fault.
        bed.Put("two", 3, "good");
        Assert.True(await bed.AtOnceAsync());
    }

    [Fact]
    public async Task Where_the_engine_takes_rows_only_when_they_are_staged_it_is_not_asked_at_every_commit()
    {
        await using var bed = await Bed.CreateAsync(servers);
        bed.Put("one", 1, "a");
        Assert.True(await bed.AtOnceAsync());
        // The owner's.
        await bed.Engine.ExecuteAsync(
            "ALTER TABLE one ADD theirs text NOT NULL DEFAULT 't'; ALTER TABLE one ALTER theirs DROP DEFAULT",
            Ct
        );
        bed.Put("one", 1, "b");
        Assert.False(await bed.AtOnceAsync());
        await bed.StageAsync();
        Assert.Equal(["1 b"], await bed.RowsAsync("one"));
        bed.Put("one", 1, "c");
        Assert.False(bed.Gathers());
        Assert.False(await bed.AtOnceAsync());
        await bed.StageAsync();
        bed.Put("two", 1, "d");
        Assert.True(await bed.AtOnceAsync());
        Assert.Equal(["1 c", "1 d"], [.. await bed.RowsAsync("one"), .. await bed.RowsAsync("two")]);
    }

    [Fact]
    public async Task A_delete_goes_the_other_way_with_all_that_is_folded()
    {
        await using var bed = await Bed.CreateAsync(servers);
        bed.Put("one", 1, "a");
        Assert.True(await bed.AtOnceAsync());
        bed.Put("one", 2, "b");
        bed.Delete("one", 1);
        Assert.False(await bed.AtOnceAsync());
        await bed.StageAsync();
        Assert.Equal(["2 b"], await bed.RowsAsync("one"));
        bed.Put("one", 3, "c");
        Assert.True(await bed.AtOnceAsync());
    }

    [Fact]
    public async Task What_a_load_leaves_that_was_waited_for_is_seen()
    {
        await using var bed = await Bed.CreateAsync(servers);
        var load = new ChunkJob(1, 1, 0, ChunkKind.Load, new KeyRange(1, 10), null);
        Assert.True(bed.Gate.TryReserve(load));
        bed.Put("one", 5, "a");
        var commits = bed.AtOnceAsync();
        Assert.False(commits.IsCompleted);
        // It reads a row that breaks a rule.
        bed.Knowledge.Entries.Add("one", 5);
        bed.Gate.Release(load);
        Assert.False(await commits);
    }

    private sealed class Bed : IAsyncDisposable
    {
        private const string Table = """
            { "name": "NAME", "source": { "table": "NAME", "key": "id", "columns": { "id": "int4", "a": "text" } },
              "engine": { "table": "NAME", "key": "id", "columns": [ { "name": "a", "type": "text", "value": "a" } ] } },
            """;

        private readonly NpgsqlConnection _connection;
        private readonly WriteBehind _batches;
        private readonly EntitySet _entities;
        private ulong _lsn = 100;

        private Bed(TestDatabase engine, EntitySet entities, NpgsqlConnection connection, EngineKnowledge knowledge, BatchWriter writer)
        {
            (Engine, _entities, _connection, Knowledge) = (engine, entities, connection, knowledge);
            _batches = new WriteBehind(writer, Gate, new PipelineStatistics());
        }

        public TestDatabase Engine { get; }
        public LoadGate Gate { get; } = new();
        public EngineKnowledge Knowledge { get; }

        public static async Task<Bed> CreateAsync(TestServers servers)
        {
            string[] names = ["one", "two"];
            var text = string.Concat(names.Select(n => Table.Replace("NAME", n, StringComparison.Ordinal)));
            var entities = EntityFile.Parse($"{{ \"entities\": [ {text} ] }}", "entities.json");
            var engine = await servers.CreateEngineAsync("few", Ct);
            foreach (var name in names)
                await engine.ExecuteAsync(
                    $"CREATE TABLE {name} (id bigint PRIMARY KEY, a text, source_generation int NOT NULL, source_lsn pg_lsn NOT NULL, "
                        + "source_ordinal bigint NOT NULL, source_commit_at timestamptz NOT NULL)",
                    Ct
                );
            var options = new EngineOptions { ConnectionString = engine.ConnectionString };
            var connection = await EngineConnection.OpenAsync(options, EngineRole.Apply, Ct);
            var knowledge = new EngineKnowledge(entities);
            await knowledge.RefreshAsync(connection, Ct);
            var writer = await new WriterFactory(entities, knowledge, NullLogger.Instance).CreateAsync(connection, Ct);
            return new Bed(engine, entities, connection, knowledge, writer);
        }

        public void Put(string entity, long key, string? a) =>
            Add(
                entity,
                key,
                RowChangeKind.Update,
                [(byte)'t', .. Text($"{key}"), .. a is null ? [(byte)'n'] : (byte[])[(byte)'t', .. Text(a)]]
            );

        public void Delete(string entity, long key) => Add(entity, key, RowChangeKind.Delete, []);

        public async Task<bool> AtOnceAsync()
        {
            var committed = await _batches.TryCommitAtOnceAsync(_ => [], Ct);
            if (committed)
                _batches.TransactionEnded();
            return committed;
        }

        /// <summary>Whether the writer would ask the engine for what is folded.</summary>
        public bool Gathers()
        {
            using var together = new NpgsqlBatch(_connection);
            return _batches.Writer.TryAddTo(together, _batches.Folding, _batches.Folding.SortedKeys());
        }

        public async Task StageAsync()
        {
            await _batches.BeginWriteAsync(Ct);
            await _batches.WrittenAsync();
            await _batches.Writer.Transaction.CommitAsync(Ct);
            _batches.TransactionEnded();
        }

        public async Task<string[]> RowsAsync(string table) =>
            [.. await Engine.RowsAsync($"SELECT id || ' ' || coalesce(a, '-') FROM {table} ORDER BY id", Ct)];

        public async ValueTask DisposeAsync()
        {
            await _connection.DisposeAsync();
            await Engine.DisposeAsync();
        }

        private void Add(string entity, long key, RowChangeKind kind, byte[] fields)
        {
            _lsn++;
            var index = _entities.Find(entity)!.Index;
            byte[] image = [0, 2, .. fields];
            _batches.Folding.Add(
                new RowChange
                {
                    Transaction = new SourceTransaction(7, new Lsn(_lsn), 0),
                    Schema = new TableSchema(
                        index,
                        0,
                        $"public.{entity}",
                        [new ColumnSchema("id", 23, true), new ColumnSchema("a", 25, false)],
                        [0, 1],
                        2,
                        RowFormat.PgOutput
                    ),
                    Kind = kind,
                    Key = key,
                    Position = new ChangePosition(1, new Lsn(_lsn), 0),
                    Image = kind == RowChangeKind.Delete ? default : new RowImage(image, 0, image.Length),
                    CommitMicros = 0,
                }
            );
        }

        private static byte[] Text(string value)
        {
            var length = new byte[4];
            var bytes = Encoding.UTF8.GetBytes(value);
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            return [.. length, .. bytes];
        }
    }
}
