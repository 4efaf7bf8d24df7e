using Cdc.Log.Registry;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Databases that are not in UTF-8, over Kafka with the records of production.</summary>
public sealed class KafkaEncodingTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("SQL_ASCII", null, "22021")]
    [InlineData(null, "LATIN1", "22P05")]
    public async Task A_row_that_the_engine_cannot_hold_goes_to_quarantine_and_stops_no_other(string? source, string? engine, string reason)
    {
        await using var bed = new KafkaPipelineBed(
            await PipelineBed.CreateAsync(
                await TestDatabase.CreateAsync("encoded", await servers.Source.ConnectionStringAsync(), Ct, encoding: source),
                await TestDatabase.CreateAsync("encoded_engine", await servers.Engine.ConnectionStringAsync(), Ct, encoding: engine),
                Ct
            ),
            await kafka.OptionsAsync()
        );
        bed.UseAvro(new RegistryOptions());
        await bed.StreamAsync(Ct);
        await ExecuteAsync(
            bed.Bed,
            source is null
                ? "UPDATE loyalty_card SET code = 'three ★' WHERE id = 3"
                : @"UPDATE loyalty_card SET code = E'M\374ller' WHERE id = 3"
        );
        await ExecuteAsync(bed.Bed, "UPDATE loyalty_card SET points = points + 1 WHERE id <> 3");
        await bed.Bed.CaughtUpAsync(Ct);
        Assert.Equal([$"card|3|{reason}"], await bed.Bed.Engine.RowsAsync("SELECT entity, key, reason FROM cdc.quarantine", Ct));
        await ExecuteAsync(bed.Bed, "UPDATE loyalty_card SET code = 'three' WHERE id = 3");
        await bed.Bed.EqualByItselfAsync(Ct);
        Assert.Equal(0L, await bed.Bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.quarantine", Ct));
    }

    private static async Task ExecuteAsync(PipelineBed bed, string sql)
    {
        var text =
            bed.Source.ConnectionString
            + ";Pooling=false;Client Encoding="
            + (sql.Contains('★', StringComparison.Ordinal) ? "UTF8" : "SQL_ASCII");
        await using var connection = new NpgsqlConnection(text);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
