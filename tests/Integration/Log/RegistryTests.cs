using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Cdc.Api.Security;
using Cdc.Core.Schemas;
using Cdc.Log.Registry;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Log;

/// <summary>The built-in registry: its table, and its routes under Confluent's paths.</summary>
public sealed class RegistryTests(TestServers servers)
{
    private const string V1 = """{"type":"record","name":"r","fields":[{"name":"a","type":"int"}]}""";
    private const string Reordered = """{"fields":[{"type":{"type":"int"},"name":"a"}],"name":"r","type":"record"}""";
    private const string V2 =
        """{"type":"record","name":"r","fields":[{"name":"a","type":"long"},{"name":"b","type":["null","string"],"default":null}]}""";
    private const string Breaking = """{"type":"record","name":"r","fields":[{"name":"c","type":"int"}]}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_at_once_register_each_schema_once()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        var registry = new RegistryTable(bed.Engine.DataSource);
        await registry.SetCompatibilityAsync(null, CompatibilityLevel.None, Ct);
        string[] schemas = [V1, V2, Breaking];
        var registered = await Task.WhenAll(
            Enumerable.Range(0, 30).Select(i => registry.RegisterAsync("s" + i % 2, schemas[i % 3], i % 2 == 0, Ct))
        );
        Assert.Equal(3, registered.Select(r => r.Id).Distinct().Count());
        foreach (var subject in (string[])["s0", "s1"])
        {
            Assert.Equal([1, 2, 3], (await registry.VersionsAsync(subject, Ct)).Select(v => v.Version));
            Assert.Equal(3, registered.Where(r => r.Subject == subject).Distinct().Count());
        }
    }

    [Fact]
    public async Task An_engine_made_anew_gives_each_schema_the_id_that_topics_know()
    {
        await using var first = await PipelineBed.CreateAsync(servers, Ct);
        await using var second = await PipelineBed.CreateAsync(servers, Ct);
        var (one, other) = (new RegistryTable(first.Engine.DataSource), new RegistryTable(second.Engine.DataSource));
        await one.RegisterAsync("x", "\"string\"", true, Ct);
        Assert.Equal(
            (await one.RegisterAsync("s", V1, true, Ct)).Id,
            (await other.RegisterAsync("s", V1.Replace(":", " : ", StringComparison.Ordinal), true, Ct)).Id
        );
        // An id that another text has already is not given away a second time.
        await using var third = await PipelineBed.CreateAsync(servers, Ct);
        var taken = (await other.RegisterAsync("s", V1, true, Ct)).Id;
        await third.Engine.ExecuteAsync($"INSERT INTO cdc.schemas (id, schema) VALUES ({taken}, '\"bytes\"')", Ct);
        var moved = await new RegistryTable(third.Engine.DataSource).RegisterAsync("s", V1, true, Ct);
        Assert.Equal(taken + 1, moved.Id);
        Assert.Equal(V1, await new RegistryTable(third.Engine.DataSource).FindAsync(moved.Id, Ct));
    }

    [Fact]
    public async Task What_Apicurios_deserializers_ask_is_answered()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        var id = (int)(await AskAsync(api, HttpMethod.Post, "/subjects/s/versions", Body(V1)))["id"]!;
        foreach (var prefix in (string[])["", "/apis/registry/v2", "/apis/registry/v3"])
        foreach (var kind in (string[])["contentIds", "globalIds"])
        {
            Assert.Equal(V1, (await AskAsync(api, HttpMethod.Get, $"{prefix}/ids/{kind}/{id}")).ToJsonString());
            Assert.Equal("[]", (await AskAsync(api, HttpMethod.Get, $"{prefix}/ids/{kind}/{id}/references")).ToJsonString());
            Assert.Equal((404, 40403), await FailAsync(api, HttpMethod.Get, $"{prefix}/ids/{kind}/{id + 1}"));
        }
    }

    [Fact]
    public async Task Routes_answer_as_Confluents_do()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        Assert.Equal((404, 40401), await FailAsync(api, HttpMethod.Get, "/subjects/s/versions"));
        var id = (int)(await AskAsync(api, HttpMethod.Post, "/subjects/s/versions", Body(V1)))["id"]!;
        Assert.Equal(
            id,
            (int)
                (await AskAsync(api, HttpMethod.Post, "/subjects/s/versions", Body(V1.Replace(",", " , ", StringComparison.Ordinal))))[
                    "id"
                ]!
        );
        await AskAsync(api, HttpMethod.Post, "/subjects/s/versions", Body(V2));
        await AskAsync(api, HttpMethod.Post, "/subjects/other-value/versions", Body(V1));
        Assert.Equal("""["other-value","s"]""", (await AskAsync(api, HttpMethod.Get, "/subjects")).ToJsonString());
        Assert.Equal("[1,2]", (await AskAsync(api, HttpMethod.Get, "/subjects/s/versions")).ToJsonString());
        Assert.Equal(
            (V2, 2),
            (
                (string?)(await AskAsync(api, HttpMethod.Get, "/subjects/s/versions/latest"))["schema"],
                (int)(await AskAsync(api, HttpMethod.Get, "/subjects/s/versions/-1"))["version"]!
            )
        );
        Assert.Equal(V1, (string?)(await AskAsync(api, HttpMethod.Get, "/subjects/s/versions/1"))["schema"]);
        Assert.Equal("record", (string?)(await AskAsync(api, HttpMethod.Get, "/subjects/s/versions/1/schema"))["type"]);
        Assert.Equal(V1, (string?)(await AskAsync(api, HttpMethod.Get, $"/schemas/ids/{id}"))["schema"]);
        Assert.Equal(
            """[{"subject":"other-value","version":1},{"subject":"s","version":1}]""",
            (await AskAsync(api, HttpMethod.Get, $"/schemas/ids/{id}/versions")).ToJsonString()
        );
        Assert.Equal("""["other-value","s"]""", (await AskAsync(api, HttpMethod.Get, $"/schemas/ids/{id}/subjects")).ToJsonString());
        Assert.Equal(
            (1, id),
            (
                (int)(await AskAsync(api, HttpMethod.Post, "/subjects/s", Body(V1)))["version"]!,
                (int)(await AskAsync(api, HttpMethod.Post, "/subjects/s", Body(V1)))["id"]!
            )
        );
        Assert.Equal("""["AVRO"]""", (await AskAsync(api, HttpMethod.Get, "/schemas/types")).ToJsonString());
        Assert.Equal("READWRITE", (string?)(await AskAsync(api, HttpMethod.Get, "/mode"))["mode"]);

        Assert.Equal((409, 409), await FailAsync(api, HttpMethod.Post, "/subjects/s/versions", Body(Breaking)));
        Assert.Equal((404, 40402), await FailAsync(api, HttpMethod.Get, "/subjects/s/versions/9"));
        Assert.Equal((422, 42202), await FailAsync(api, HttpMethod.Get, "/subjects/s/versions/first"));
        Assert.Equal((404, 40403), await FailAsync(api, HttpMethod.Get, "/schemas/ids/1"));
        Assert.Equal((404, 40403), await FailAsync(api, HttpMethod.Post, "/subjects/s", Body(Breaking)));
        Assert.Equal((404, 40401), await FailAsync(api, HttpMethod.Post, "/subjects/none", Body(V1)));
        foreach (
            var wrong in (string[])
                [
                    "",
                    "{",
                    "[]",
                    "{}",
                    """{"schema":"no"}""",
                    """{"schema":"\"int\"","schemaType":"JSON"}""",
                    """{"schema":"\"int\"","references":[{}]}""",
                ]
        )
            Assert.Equal((422, 42201), await FailAsync(api, HttpMethod.Post, "/subjects/s/versions", wrong));
    }

    [Fact]
    public async Task Compatibility_is_what_the_subject_or_else_everybody_asks_for()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        Assert.Equal("BACKWARD", (string?)(await AskAsync(api, HttpMethod.Get, "/config"))["compatibilityLevel"]);
        Assert.Equal((404, 40408), await FailAsync(api, HttpMethod.Get, "/config/s"));
        Assert.Equal("BACKWARD", (string?)(await AskAsync(api, HttpMethod.Get, "/config/s?defaultToGlobal=true"))["compatibilityLevel"]);
        await AskAsync(api, HttpMethod.Post, "/subjects/s/versions", Body(V1));
        Assert.True((bool)(await AskAsync(api, HttpMethod.Post, "/compatibility/subjects/s/versions/latest", Body(V2)))["is_compatible"]!);
        var verdict = await AskAsync(api, HttpMethod.Post, "/compatibility/subjects/s/versions?verbose=true", Body(Breaking));
        Assert.False((bool)verdict["is_compatible"]!);
        Assert.Contains("/c", (string?)Assert.Single((JsonArray)verdict["messages"]!), StringComparison.Ordinal);
        Assert.Equal("FULL", (string?)(await AskAsync(api, HttpMethod.Put, "/config/s", """{"compatibility":"FULL"}"""))["compatibility"]);
        Assert.Equal("FULL", (string?)(await AskAsync(api, HttpMethod.Get, "/config/s"))["compatibilityLevel"]);
        // int is read as long, but long not as int.
        Assert.False((bool)(await AskAsync(api, HttpMethod.Post, "/compatibility/subjects/s/versions/1", Body(V2)))["is_compatible"]!);
        await AskAsync(api, HttpMethod.Put, "/config/s", """{"compatibility":"NONE"}""");
        await AskAsync(api, HttpMethod.Post, "/subjects/s/versions", Body(Breaking));
        await AskAsync(api, HttpMethod.Put, "/config", """{"compatibility":"backward_transitive"}""");
        Assert.Equal("BACKWARD_TRANSITIVE", (string?)(await AskAsync(api, HttpMethod.Get, "/config"))["compatibilityLevel"]);
        Assert.Equal((422, 42203), await FailAsync(api, HttpMethod.Put, "/config", """{"compatibility":"SOMEHOW"}"""));
        // With nothing before it, a schema gets along; with a version that is not there, nothing can be said.
        foreach (var path in (string[])["versions", "versions/latest"])
            Assert.True((bool)(await AskAsync(api, HttpMethod.Post, "/compatibility/subjects/none/" + path, Body(V1)))["is_compatible"]!);
        Assert.Equal((404, 40402), await FailAsync(api, HttpMethod.Post, "/compatibility/subjects/none/versions/1", Body(V1)));
    }

    [Fact]
    public async Task Whoever_wrote_records_gets_their_id_even_if_another_order_of_the_schema_was_registered_first()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        var other = (int)(await AskAsync(api, HttpMethod.Post, "/subjects/s/versions", Body(Reordered)))["id"]!;
        var known = await new TableSchemaClient(new RegistryTable(bed.Engine.DataSource)).RegisterAsync("s", V1, Ct);
        Assert.Equal(SchemaText.Ids(V1).First(), known);
        Assert.NotEqual(other, known);
        // And now both texts find their own.
        Assert.Equal(known, (int)(await AskAsync(api, HttpMethod.Post, "/subjects/s", Body(V1)))["id"]!);
        Assert.Equal(other, (int)(await AskAsync(api, HttpMethod.Post, "/subjects/s", Body(Reordered)))["id"]!);
    }

    [Fact]
    public async Task What_is_not_here_has_Confluents_answer_for_that()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        var id = (int)(await AskAsync(api, HttpMethod.Post, "/subjects/:.:s-value/versions", Body(V1)))["id"]!;
        await AskAsync(api, HttpMethod.Post, "/subjects/s-value/versions", Body(V2));
        await AskAsync(api, HttpMethod.Post, "/subjects/t-value/versions", Body(V1));
        Assert.Equal("""["s-value","t-value"]""", await JsonAsync("/subjects?deleted=true"));
        Assert.Equal("""["s-value"]""", await JsonAsync("/subjects?subjectPrefix=:.:s"));
        Assert.Equal("[]", await JsonAsync("/subjects?deletedOnly=true"));
        Assert.Equal("[1,2]", await JsonAsync("/subjects/:.:s-value/versions?deleted=false"));
        Assert.Equal("[]", await JsonAsync("/subjects/s-value/versions/1/referencedby"));
        Assert.Equal("""["."]""", await JsonAsync("/contexts"));
        Assert.Equal("""{"mode":"READWRITE"}""", await JsonAsync("/mode/s-value?defaultToGlobal=true"));
        Assert.Equal(
            "cdc",
            (string?)(await AskAsync(api, HttpMethod.Get, "/v1/metadata/id"))["scope"]!["clusters"]!["schema-registry-cluster"]
        );
        Assert.NotEmpty((string?)(await AskAsync(api, HttpMethod.Get, "/v1/metadata/version"))["version"] ?? "");
        var highest = (int)(await AskAsync(api, HttpMethod.Get, $"/schemas/ids/{id}?fetchMaxId=true"))["maxId"]!;
        Assert.Equal(((JsonArray)await AskAsync(api, HttpMethod.Get, "/schemas")).Max(v => (int)v!["id"]!), highest);
        Assert.Equal(3, ((JsonArray)await AskAsync(api, HttpMethod.Get, "/schemas")).Count);
        Assert.Equal(
            "s-value 2",
            string.Join(
                ',',
                ((JsonArray)await AskAsync(api, HttpMethod.Get, "/schemas?subjectPrefix=s&latestOnly=true")).Select(v =>
                    $"{v!["subject"]} {v["version"]}"
                )
            )
        );
        Assert.Equal(
            "s-value 2",
            string.Join(
                ',',
                ((JsonArray)await AskAsync(api, HttpMethod.Get, "/schemas?offset=1&limit=1")).Select(v => $"{v!["subject"]} {v["version"]}")
            )
        );
        Assert.Equal((404, 40409), await FailAsync(api, HttpMethod.Get, "/mode/s-value"));
        Assert.Equal((404, 40401), await FailAsync(api, HttpMethod.Get, "/subjects/none/metadata"));
        Assert.Equal((404, 40402), await FailAsync(api, HttpMethod.Get, "/subjects/s-value/versions/3/referencedby"));
        Assert.Equal((404, 40401), await FailAsync(api, HttpMethod.Get, "/subjects/s-value/versions?deletedOnly=true"));
        Assert.Equal((404, 40403), await FailAsync(api, HttpMethod.Get, "/schemas/guids/none"));
        Assert.Equal((404, 40410), await FailAsync(api, HttpMethod.Get, "/associations/resources/-/topic?resourceType=topic"));
        Assert.Equal((404, 40410), await FailAsync(api, HttpMethod.Post, "/associations", "{}"));
        Assert.Equal((404, 404), await FailAsync(api, HttpMethod.Get, "/subjects/s-value/nothing"));
        Assert.Equal((404, 404), await FailAsync(api, HttpMethod.Get, "/schemas/ids/none"));
        Assert.Equal((405, 405), await FailAsync(api, HttpMethod.Delete, "/subjects/s-value"));
        Assert.Equal((400, 400), await FailAsync(api, HttpMethod.Get, "/subjects?deletedOnly=perhaps"));

        async Task<string> JsonAsync(string path) => (await AskAsync(api, HttpMethod.Get, path)).ToJsonString();
    }

    [Fact]
    public async Task A_known_schema_is_answered_while_the_engine_is_away_and_an_unknown_one_with_why_not()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        var there = await new RegistryTable(bed.Engine.DataSource).RegisterAsync("s", V1, true, Ct);
        Assert.Equal(V1, (string?)(await AskAsync(api, HttpMethod.Get, $"/schemas/ids/{there.Id}"))["schema"]);
        await bed.Engine.ExecuteAsync("ALTER TABLE cdc.schemas RENAME TO gone", Ct);
        Assert.Equal(V1, (string?)(await AskAsync(api, HttpMethod.Get, $"/schemas/ids/{there.Id}"))["schema"]);
        Assert.Equal((500, 50001), await FailAsync(api, HttpMethod.Get, "/schemas/ids/1"));
    }

    [Fact]
    public async Task A_key_may_be_the_password_and_registering_needs_the_scope_operate()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        var (read, operate) = (await KeyAsync(bed, Scopes.Read), await KeyAsync(bed, Scopes.Operate));
        await Eventually.True(
            "the keys are known",
            async () => (await SendAsync(api, HttpMethod.Get, "/subjects", null, read)).Status == 200,
            ct: Ct
        );
        Assert.Equal((403, 403), await RefusedAsync(HttpMethod.Post, "/subjects/s/versions", read));
        Assert.Equal(200, (await SendAsync(api, HttpMethod.Post, "/subjects/s/versions", Body(V1), operate)).Status);
        Assert.Equal(401, (await SendAsync(api, HttpMethod.Get, "/subjects", null, read[..^1])).Status);
        Assert.Equal((401, 401), await RefusedAsync(HttpMethod.Get, "/subjects", null));

        async Task<(int Status, int? Code)> RefusedAsync(HttpMethod method, string path, string? key)
        {
            var (status, answer) = await SendAsync(api, method, path, method == HttpMethod.Post ? Body(V1) : null, key);
            Assert.NotEmpty((string?)answer!["message"] ?? "");
            return (status, (int?)answer["error_code"]);
        }
    }

    private static async Task<string> KeyAsync(PipelineBed bed, string scope)
    {
        await using var connection = await bed.Engine.DataSource.OpenConnectionAsync(Ct);
        return (await KeyTable.CreateAsync(connection, scope, [scope], null, Ct)).Text;
    }

    private static string Body(string schema) => new JsonObject { ["schema"] = schema }.ToJsonString();

    private static async Task<JsonNode> AskAsync(ApiBed api, HttpMethod method, string path, string? body = null)
    {
        var (status, answer) = await SendAsync(api, method, path, body, null);
        Assert.True(status == 200, $"{path}: {status} {answer?.ToJsonString()}");
        return answer!;
    }

    private static async Task<(int Status, int Code)> FailAsync(ApiBed api, HttpMethod method, string path, string? body = null)
    {
        var (status, answer) = await SendAsync(api, method, path, body, null);
        Assert.NotEmpty((string?)answer?["message"] ?? "");
        return (status, (int)answer!["error_code"]!);
    }

    private static async Task<(int Status, JsonNode? Answer)> SendAsync(
        ApiBed api,
        HttpMethod method,
        string path,
        string? body,
        string? password
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body, MediaTypeHeaderValue.Parse("application/vnd.schemaregistry.v1+json"));
        if (password is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("anybody:" + password))
            );
        using var response = await api.Client.SendAsync(request, Ct);
        var text = await response.Content.ReadAsStringAsync(Ct);
        if (response.IsSuccessStatusCode)
            Assert.Equal("application/vnd.schemaregistry.v1+json", response.Content.Headers.ContentType?.MediaType);
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }
}
