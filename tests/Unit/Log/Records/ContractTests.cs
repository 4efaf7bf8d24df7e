using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cdc.Core.Schemas;
using Cdc.Log.Avro.Resolution;
using Cdc.Log.Avro.Schemas;
using Cdc.Log.Records;
using Cdc.Log.Registry;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Records;
using Xunit;

namespace Cdc.Tests.Unit.Log.Records;

/// <summary>
/// The contracts in schemas/avro are what is written, and read what earlier ones wrote. <c>CDC_UPDATE_GOLDEN=1</c> writes them anew; put the
/// one before into schemas/avro/golden when a release has delivered it.
/// </summary>
public sealed class ContractTests
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static string Folder => SourceTree.PathOf("schemas/avro");

    public static TheoryData<string> Subjects() => new(Written().Keys);

    public static TheoryData<string> Earlier() =>
        new(Directory.GetFiles(Path.Combine(Folder, "golden"), "*.avsc").Select(Path.GetFileName).Order(StringComparer.Ordinal)!);

    [Theory]
    [MemberData(nameof(Subjects))]
    public void A_contract_is_what_is_written(string subject)
    {
        var path = Path.Combine(Folder, subject + ".avsc");
        var text = JsonNode.Parse(Written()[subject])!.ToJsonString(Readable).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable("CDC_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text);
        Assert.Equal(File.ReadAllText(path), text, ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Every_contract_in_the_folder_is_written() =>
        Assert.Equal(
            Written().Keys.Order(StringComparer.Ordinal),
            Directory.GetFiles(Folder, "*.avsc").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!
        );

    [Theory]
    [MemberData(nameof(Earlier))]
    public void What_an_earlier_contract_wrote_is_read(string file)
    {
        var subject = file[..file.LastIndexOf('.', file.Length - ".avsc".Length - 1)];
        var earlier = new RegisteredSchema(subject, 1, 1, File.ReadAllText(Path.Combine(Folder, "golden", file)));
        Assert.Empty(Compatibility.Problems(CompatibilityLevel.Backward, Written()[subject], [earlier]));
    }

    [Fact]
    public void A_record_that_the_first_contract_wrote_is_read_to_the_last_field()
    {
        var writer = AvroSchema.Parse(File.ReadAllText(Path.Combine(Folder, "golden", "odoo.public.loyalty_card-value.1.avsc")));
        var record = (AvroRecord)
            AvroDatum.Read(writer, AvroSchema.Parse(Written()["odoo.public.loyalty_card-value"]), Convert.FromHexString(FirstCard))!;
        var (after, source) = ((AvroRecord)record["after"]!, (AvroRecord)record["source"]!);
        Assert.Equal(
            (17, "ABC", 12.5, 1_767_323_045_678_000L, null),
            (after["id"], after["code"], after["points"], after["create_date"], after["partner_id"])
        );
        Assert.Equal(
            (1_767_323_045_678_901L, 3, 5L, 2L, 9L, "u"),
            (source["ts_us"], source["generation"], source["ordinal"], source["session"], source["session_sequence"], record["op"])
        );
        Assert.Equal(["write_date"], (IReadOnlyList<object?>)source["unchanged"]!);
    }

    [Fact]
    public void A_column_whose_type_widens_is_read_and_one_that_narrows_is_refused()
    {
        var (narrow, wide) = (ValueWith(23), ValueWith(20));
        Assert.Empty(Compatibility.Problems(CompatibilityLevel.Backward, wide, [new("s", 1, 1, narrow)]));
        var problems = Compatibility.Problems(CompatibilityLevel.Backward, narrow, [new("s", 1, 1, wide)]);
        Assert.NotEmpty(problems);
        Assert.All(problems, problem => Assert.Contains("/points", problem, StringComparison.Ordinal));
    }

    /// <summary>A record of the first contract, as Avro for Python wrote it.</summary>
    private const string FirstCard =
        "0002220202000206020641424302000000000000294002E0AEBAE5DED7A306000A312E322E3314706F737467726573716C086F646F6FDCBCCCCAEF66000A66616C7365086F646F6F0002EABCBAE5DED7A306000C7075626C6963186C6F79616C74795F63617264029A0102804000060A041200021477726974655F6461746500000002750288BDCCCAEF6602C086BDE5DED7A30600";

    private static string ValueWith(uint type) =>
        EnvelopeSchema.Value("odoo.public.x", new TopicTables(Samples(type).Entities, "odoo").ColumnsOf(Samples(type).Schema));

    private static SampleTable Samples(uint type) => new([new("id", 23, true), new("points", type, false)]);

    /// <summary>By subject.</summary>
    private static Dictionary<string, string> Written()
    {
        var tables = new TopicTables(DeliveredTables.Entities, "odoo");
        var contracts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entity in DeliveredTables.Entities.All)
        {
            var topic = tables.TopicOf(entity.Index);
            var columns = tables.ColumnsOf(DeliveredTables.SchemaOf(entity));
            contracts[topic + "-key"] = EnvelopeSchema.Key(TopicTables.NamespaceOf(topic), columns.Where(c => c.IsKey));
            contracts[topic + "-value"] = EnvelopeSchema.Value(TopicTables.NamespaceOf(topic), columns);
        }
        return contracts;
    }
}
