using Cdc.Log.Registry;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.SchemaRegistry;
using Xunit;

namespace Cdc.Tests.Integration.Log;

/// <summary>The built-in registry over HTTP, as Confluent's client for .NET asks it.</summary>
public sealed class ConfluentClientTests(TestServers servers)
{
    private const string V1 =
        """{"type":"record","name":"r","namespace":"n","fields":[{"name":"a","type":["null","int"],"default":null}]}""";
    private const string Reordered =
        """{"fields":[{"default":null,"name":"a","type":["null",{"type":"int"}]}],"name":"n.r","type":"record"}""";
    private const string Other = """{"type":"record","name":"r","namespace":"n","fields":[{"name":"a","type":["null","int"]}]}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_schema_with_its_properties_in_another_order_is_the_same_schema()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        using var client = Client(api);
        var first = await client.RegisterSchemaWithResponseAsync("s", Avro(V1));
        foreach (var normalize in (bool[])[false, true])
        {
            // A client of its own for each: this one keeps what it was answered.
            using var another = Client(api);
            var again = await another.RegisterSchemaWithResponseAsync("s", Avro(Reordered), normalize);
            Assert.Equal((first.Id, 1, first.Guid), (again.Id, again.Version, again.Guid));
            using var third = Client(api);
            Assert.Equal(first.Id, (await third.LookupSchemaAsync("s", Avro(Reordered), ignoreDeletedSchemas: false, normalize)).Id);
        }
        // In another subject it is the same schema too, and has the same id. A default more or less is another one.
        Assert.Equal(first.Id, await client.RegisterSchemaAsync("t", Avro(Reordered)));
        Assert.NotEqual(first.Id, await client.RegisterSchemaAsync("s", Avro(Other)));
        Assert.Equal([1, 2], await client.GetSubjectVersionsAsync("s"));
    }

    [Fact]
    public async Task Every_schema_of_ours_as_Apaches_library_writes_it_is_the_one_that_is_registered()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        using var client = Client(api);
        var table = new TableSchemaClient(new RegistryTable(bed.Engine.DataSource));
        var files = Directory.GetFiles(SourceTree.PathOf("schemas/avro"), "*.avsc");
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var (subject, text) = (Path.GetFileNameWithoutExtension(file), await File.ReadAllTextAsync(file, Ct));
            var id = await table.RegisterAsync(subject, text, Ct);
            var written = global::Avro.Schema.Parse(text).ToString();
            Assert.Equal((subject, id), (subject, await client.GetSchemaIdAsync(subject, Avro(written))));
            Assert.Equal((subject, id), (subject, await client.RegisterSchemaAsync(subject, Avro(written))));
        }
    }

    [Fact]
    public async Task What_it_asks_for_by_subject_version_id_and_guid_it_gets()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        using var client = Client(api);
        var there = await client.RegisterSchemaWithResponseAsync("s", Avro(V1));
        Assert.Equal(V1, (await client.GetSchemaByGuidAsync(there.Guid)).SchemaString);
        // An Api that has not seen it yet: from the engine.
        await using var second = await ApiBed.StartAsync(bed, Ct);
        using var another = Client(second);
        Assert.Equal(V1, (await another.GetSchemaByGuidAsync(there.Guid)).SchemaString);
        Assert.Equal(V1, (await another.GetSchemaBySubjectAndIdAsync("s", there.Id)).SchemaString);
        Assert.Equal((1, there.Guid), await VersionAsync(another.GetRegisteredSchemaAsync("s", 1, ignoreDeletedSchemas: false)));
        Assert.Equal((1, there.Guid), await VersionAsync(another.GetLatestSchemaAsync("s")));
        Assert.Equal(
            (1, there.Guid),
            await VersionAsync(another.GetLatestWithMetadataAsync("s", new Dictionary<string, string>(), ignoreDeletedSchemas: false))
        );
        Assert.Equal(
            40403,
            (
                await Assert.ThrowsAsync<SchemaRegistryException>(() =>
                    another.GetLatestWithMetadataAsync("s", new Dictionary<string, string> { ["owner"] = "x" }, ignoreDeletedSchemas: true)
                )
            ).ErrorCode
        );
        Assert.Equal(
            40403,
            (await Assert.ThrowsAsync<SchemaRegistryException>(() => another.GetSchemaByGuidAsync(Guid.NewGuid().ToString()))).ErrorCode
        );
    }

    [Fact]
    public async Task What_it_asks_that_does_not_exist_here_it_is_answered_in_its_own_words()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        using var client = Client(api);
        Assert.True(await client.IsCompatibleAsync("none", Avro(V1)));
        Assert.Equal(global::Confluent.SchemaRegistry.Compatibility.Backward, await client.GetCompatibilityAsync());
        var association = await Assert.ThrowsAsync<SchemaRegistryException>(() =>
            client.GetAssociationsByResourceNameAsync("topic", "-", "topic", ["value"], null, 0, -1)
        );
        Assert.Equal((40410, System.Net.HttpStatusCode.NotFound), (association.ErrorCode, association.Status));
        Assert.Contains("topic", association.Message, StringComparison.Ordinal);
    }

    private static async Task<(int, string)> VersionAsync(Task<RegisteredSchema> asked)
    {
        var version = await asked;
        Assert.Equal(("s", V1), (version.Subject, version.SchemaString));
        return (version.Version, version.Guid);
    }

    private static Schema Avro(string text) => new(text, SchemaType.Avro);

    private static CachedSchemaRegistryClient Client(ApiBed api) => new(new SchemaRegistryConfig { Url = api.Address.ToString() });
}
