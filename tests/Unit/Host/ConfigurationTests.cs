using System.Text.RegularExpressions;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Cdc.Host.Configuration;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit.Host;

public sealed class ConfigurationTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"cdc-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Every_error_is_told_at_once_each_with_what_to_do()
    {
        File.WriteAllText(
            _file,
            """{ "Source": { "SlotNam": "x", "HeartbeatInterval": "soon" }, "Snapshot": { "Workers": 0 }, "Log": "fast", "Sink": {} }"""
        );
        var refused = Refused(new() { ["CDC__Engine__BatchRows"] = "many", ["CDC__Log__Kind"] = "Pigeon" }, Needs.Both);

        Assert.Equal(FailureKind.Configuration, refused.Kind);
        string[] expected =
        [
            "Source:SlotNam in " + _file,
            "Source:HeartbeatInterval in " + _file,
            "Snapshot:Workers in " + _file,
            "Sink in " + _file,
            "environment variable CDC__Engine__BatchRows",
            "environment variable CDC__Log__Kind",
            "Source:ConnectionString",
            "Engine:ConnectionString",
        ];
        Assert.All(expected, part => Assert.Contains(refused.Findings, f => f.Message.StartsWith(part, StringComparison.Ordinal)));
        Assert.Equal(expected.Length, refused.Findings.Count);
        Assert.All(refused.Findings, f => Assert.NotEmpty(f.Remedy));
    }

    [Theory]
    [InlineData("""{ "Source": { "SlotNam": "x" } }""", "SlotName")]
    [InlineData("""{ "Sorce": { "SlotName": "x" } }""", "Source")]
    [InlineData("""{ "Engine": { "batch_rows": 1 } }""", "BatchRows")]
    public void An_unknown_key_is_refused_with_the_nearest_name(string json, string nearest)
    {
        File.WriteAllText(_file, json);
        Assert.Contains($"Did you mean \"{nearest}\"?", Refused([], Needs.None).Findings.Single().Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void The_environment_wins_over_the_file()
    {
        File.WriteAllText(_file, """{ "Source": { "SlotName": "from_file", "Publication": "from_file" } }""");
        var options = ConfigurationLoader.Load(
            _file,
            new Dictionary<string, string> { ["CDC__Source__SlotName"] = "from_environment" },
            Needs.None
        );
        Assert.Equal(("from_environment", "from_file"), (options.Source.SlotName, options.Source.Publication));
    }

    [Fact]
    public void Only_the_connection_strings_that_a_command_uses_are_asked_for()
    {
        File.WriteAllText(_file, """{ "Engine": { "ConnectionString": "Host=h" } }""");
        Assert.Equal("Host=h", ConfigurationLoader.Load(_file, new Dictionary<string, string>(), Needs.Engine).Engine.ConnectionString);
        Assert.Contains("Source:ConnectionString is missing", Refused([], Needs.Both).Findings.Single().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "Source": { "ConnectionString": "Host=h;Password=top;secret" } }""")]
    [InlineData("""{ "Source": { "ConnectionString": "Host=h;Port=top-secret" } }""")]
    [InlineData("""{ "Source": { "ConnectionString": "Password=top-secret" } }""")]
    [InlineData("""{ "Source": { "ConnectionString": "Host=h;Password=top-secret" """)]
    public void No_part_of_a_connection_string_is_ever_shown(string json)
    {
        File.WriteAllText(_file, json);
        var refused = Assert.ThrowsAny<CdcException>(() => ConfigurationLoader.Load(_file, new Dictionary<string, string>(), Needs.Source));
        Assert.DoesNotContain("secret", refused.Message + refused.Remedy, StringComparison.Ordinal);
        Assert.Equal(FailureKind.Configuration, refused.Kind);
    }

    [Fact]
    public void A_named_file_must_exist()
    {
        var refused = Assert.ThrowsAny<CdcException>(() => ConfigurationLoader.Load(_file, new Dictionary<string, string>(), Needs.None));
        Assert.Equal(FailureKind.Configuration, refused.Kind);
        Assert.Contains(_file, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Broken_json_is_told_with_its_line()
    {
        File.WriteAllText(_file, "{\n  \"Source\": {\n    \"SlotName\": }\n");
        var refused = Assert.ThrowsAny<CdcException>(() => ConfigurationLoader.Load(_file, new Dictionary<string, string>(), Needs.None));
        Assert.Contains("line 3", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".cdc.json")]
    [InlineData(".cdc")]
    [InlineData(".folder/cdc.json")]
    [InlineData("folder/.cdc.json")]
    public void A_file_may_have_any_name(string name)
    {
        var folder = Directory.CreateTempSubdirectory("cdc-");
        try
        {
            var file = Path.Combine(folder.FullName, name);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            // With the mark that editors of other systems write.
            File.WriteAllText(file, """{ "Source": { "SlotName": "mine" } }""", new System.Text.UTF8Encoding(true));
            Assert.Equal("mine", ConfigurationLoader.Load(file, new Dictionary<string, string>(), Needs.None).Source.SlotName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_file_in_a_folder_that_is_not_there_does_not_exist()
    {
        var refused = Assert.ThrowsAny<CdcException>(() =>
            ConfigurationLoader.Load(Path.Combine(_file, "cdc.json"), new Dictionary<string, string>(), Needs.None)
        );
        Assert.Contains("does not exist", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CDC__SOURCE__SLOTNAME", "CDC__Source__SlotName")]
    [InlineData("cdc__Source__SlotName", "CDC__Source__SlotName")]
    [InlineData("CDC__Source:SlotName", "CDC__Source__SlotName")]
    public void One_option_in_two_spellings_is_refused_with_both(string one, string other)
    {
        File.WriteAllText(_file, "{}");
        var refused = Refused(
            new()
            {
                [one] = "a",
                [other] = "b",
                ["CDC__Engine__BatchRows"] = "many",
            },
            Needs.None
        );
        Assert.Equal(2, refused.Findings.Count);
        var twice = Assert.Single(refused.Findings, f => f.Code == "option-twice");
        Assert.Contains(one, twice.Message, StringComparison.Ordinal);
        Assert.Contains(other, twice.Message, StringComparison.Ordinal);
        Assert.StartsWith("Keep one of them", twice.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgresql://u:p@h/d")]
    [InlineData("host=h dbname=d user=u password=p")]
    public void Connection_strings_of_psql_are_taken_for_every_server(string text)
    {
        var options = ConfigurationLoader.Load(
            null,
            new Dictionary<string, string>
            {
                ["CDC__Source__ConnectionString"] = text,
                ["CDC__Engine__ConnectionString"] = text,
                ["CDC__Api__ReplicaConnectionString"] = text,
            },
            Needs.Both
        );
        foreach (
            var read in (string[])[options.Source.ConnectionString, options.Engine.ConnectionString, options.Api.ReplicaConnectionString]
        )
        {
            var settings = new Npgsql.NpgsqlConnectionStringBuilder(read);
            Assert.Equal(("h", "d", "u", "p"), (settings.Host, settings.Database, settings.Username, settings.Password));
        }
    }

    [Theory]
    [InlineData("CDC__Source__SlotName", "Upper-Case")]
    [InlineData("CDC__Source__SlotName", "")]
    [InlineData("CDC__Source__Publication", "")]
    [InlineData("CDC__Source__LogicalDecodingWorkMem", "a lot")]
    [InlineData("CDC__Source__HeartbeatInterval", "00:00:00")]
    [InlineData("CDC__Source__HeartbeatInterval", "5")]
    [InlineData("CDC__Source__AcceptGaps", "perhaps")]
    [InlineData("CDC__Source__RememberedKeys", "0")]
    [InlineData("CDC__Engine__BatchRows", "0")]
    [InlineData("CDC__Engine__BatchBytes", "10")]
    [InlineData("CDC__Engine__SynchronousCommit", "on")]
    [InlineData("CDC__Engine__FeedbackInterval", "-00:00:01")]
    [InlineData("CDC__Engine__FenceHoldTimeout", "00:01:00")]
    [InlineData("CDC__Fence__Timeout", "00:00:00")]
    [InlineData("CDC__Fence__Attempts", "0")]
    [InlineData("CDC__Reconcile__SliceRows", "0")]
    [InlineData("CDC__Reconcile__SliceTime", "00:00:00")]
    [InlineData("CDC__Reconcile__StatementTimeout", "01:00:00")]
    [InlineData("CDC__Reconcile__MaxDrift", "-1")]
    [InlineData("CDC__Continuous__Interval", "00:00:00")]
    [InlineData("CDC__Continuous__FullAt", "1.00:00:00")]
    [InlineData("CDC__Continuous__FullAt", "25:00")]
    [InlineData("CDC__Continuous__FullAt", "2")]
    [InlineData("CDC__Continuous__Cutover", "tomorrow")]
    [InlineData("CDC__Continuous__LoadPercent", "0")]
    [InlineData("CDC__Continuous__SliceTime", "00:00:00")]
    [InlineData("CDC__Continuous__KeepDays", "0")]
    [InlineData("CDC__Continuous__Repair", "perhaps")]
    [InlineData("CDC__Alerts__WarnAbovePercent", "-1")]
    [InlineData("CDC__Alerts__AlertAbovePercent", "much")]
    [InlineData("CDC__Alerts__RemediateAbovePercent", "101")]
    [InlineData("CDC__Alerts__PageBelowPercent", "100.1")]
    [InlineData("CDC__Alerts__ShortWindow", "00:00:00")]
    [InlineData("CDC__Alerts__LongWindow", "00:00:01")]
    [InlineData("CDC__Alerts__MinSamples", "0")]
    [InlineData("CDC__Alerts__MinRows", "-1")]
    [InlineData("CDC__Alerts__Webhook", "ftp://h")]
    [InlineData("CDC__Alerts__WebhookAttempts", "0")]
    [InlineData("CDC__Alerts__WebhookTimeout", "00:00:00")]
    [InlineData("CDC__Log__Kind", "0")]
    [InlineData("CDC__Log__MaxBytes", "1e9")]
    [InlineData("CDC__Kafka__TopicPrefix", "a b")]
    [InlineData("CDC__Kafka__Group", "")]
    [InlineData("CDC__Kafka__Workers", "0")]
    [InlineData("CDC__Kafka__Partitions", "0")]
    [InlineData("CDC__Kafka__ReplicationFactor", "0")]
    [InlineData("CDC__Kafka__MinInSyncReplicas", "-1")]
    [InlineData("CDC__Snapshot__Workers", "1000")]
    [InlineData("CDC__Snapshot__ChunkRows", "-1")]
    [InlineData("CDC__Snapshot__ChunkBytes", "1")]
    [InlineData("CDC__Api__Urls", "")]
    [InlineData("CDC__Api__Urls", "foo")]
    [InlineData("CDC__Api__Urls", "http://127.0.0.1:8642;ftp://127.0.0.1")]
    [InlineData("CDC__Api__Enabled", "perhaps")]
    [InlineData("CDC__Api__Connections", "0")]
    [InlineData("CDC__Api__ReplicaConnectionString", "Database=engine")]
    [InlineData("CDC__Api__ReplicaConnectionString", "Host=engine;Port=99999")]
    [InlineData("CDC__Api__Timeout", "00:00:00")]
    [InlineData("CDC__Api__CacheBytes", "-1")]
    [InlineData("CDC__Api__RequestsPerSecond", "0")]
    [InlineData("CDC__Api__LagLimit", "-00:00:01")]
    [InlineData("CDC__Api__OtlpEndpoint", "collector")]
    [InlineData("CDC__Registry__Url", "registry:8081/path")]
    [InlineData("CDC__Registry__Url", "https://user:password@registry")]
    [InlineData("CDC__Registry__Timeout", "00:00:00")]
    [InlineData("CDC__Entities", "")]
    [InlineData("CDC__Entities__Language", "en'US")]
    [InlineData("CDC__Api__TimeZone", "Mars/Olympus")]
    public void A_value_that_cannot_work_is_refused_and_names_its_variable(string variable, string value)
    {
        File.WriteAllText(_file, "{}");
        Assert.Contains(variable, Refused(new() { [variable] = value }, Needs.None).Findings.Single().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_of_the_day_is_not_called_a_duration()
    {
        File.WriteAllText(_file, "{}");
        var finding = Refused(new() { ["CDC__Continuous__FullAt"] = "25:00" }, Needs.None).Findings.Single();
        Assert.Contains("a time of the day from 00:00:00 to 23:59:59", finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("duration", finding.Message + finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void The_stack_for_Docker_sets_options_that_exist_to_values_that_work()
    {
        File.WriteAllText(_file, "{}");
        var set = Regex.Matches(
            File.ReadAllText(SourceTree.PathOf("ops/compose/compose.yaml")),
            @"^ +(?<name>CDC__\w+): (\$\{\w+:-)?(?<value>[^}\r\n]*)",
            RegexOptions.Multiline
        );
        var options = ConfigurationLoader.Load(
            _file,
            set.ToDictionary(m => m.Groups["name"].Value, m => m.Groups["value"].Value),
            Needs.Both
        );
        Assert.Equal(
            (Cdc.Log.ChangeLogKind.Kafka, "kafka:19092", "http://*:8642"),
            (options.Log.Kind, options.Kafka.BootstrapServers, options.Api.Urls)
        );
        Assert.Contains("engine-db", options.Engine.ConnectionString, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_option_can_be_set_by_file_and_by_environment()
    {
        var paths = OptionPaths().ToList();
        Assert.NotEmpty(paths);
        foreach (var (path, type) in paths.Where(p => p.Type != typeof(IReadOnlyDictionary<string, string>)))
        {
            var (value, expected) = Sample(path, type);
            File.WriteAllText(_file, "{}");
            var beside = Beside(path).ToDictionary(b => OptionOrigin.VariableOf(b.Path), b => b.Value);
            Assert.Equal(
                expected,
                ValueAt(
                    ConfigurationLoader.Load(
                        _file,
                        new Dictionary<string, string>(beside) { [OptionOrigin.VariableOf(path)] = value },
                        Needs.None
                    ),
                    path
                )
            );
            var json = path.Split(':').Reverse().Aggregate($"\"{value}\"", (inner, name) => $"{{ \"{name}\": {inner} }}");
            File.WriteAllText(_file, json);
            Assert.Equal(expected, ValueAt(ConfigurationLoader.Load(_file, beside, Needs.None), path));
        }
    }

    /// <summary>What an option needs beside it, to have an effect or to contradict nothing.</summary>
    private static (string Path, string Value)[] Beside(string path) =>
        path switch
        {
            "Api:Urls" => [("Api:Certificate", "c.pem")],
            "Api:Certificate" => [("Api:Urls", "https://*:8443")],
            "Api:CertificateKey" => [("Api:Urls", "https://*:8443"), ("Api:Certificate", "c.pem")],
            "Registry:Username" or "Registry:CaCertificate" => [("Registry:Url", "https://r")],
            "Registry:Password" => [("Registry:Url", "https://r"), ("Registry:Username", "u")],
            "Kafka:MinInSyncReplicas" => [("Kafka:ReplicationFactor", "17")],
            "Alerts:WarnAbovePercent" => [("Alerts:AlertAbovePercent", "0.25")],
            "Alerts:ShortWindow" => [("Continuous:Interval", "00:00:02")],
            _ => [],
        };

    [Theory]
    [InlineData("Api:CertificateKey", "Api:Certificate", "CDC__Api__CertificateKey=k.pem")]
    [InlineData("Api:Certificate", "Api:Urls", "CDC__Api__Certificate=c.pem")]
    [InlineData("Api:Urls", "Api:Certificate", "CDC__Api__Urls=https://*:8443")]
    [InlineData("Registry:Username", "Registry:Url", "CDC__Registry__Username=u")]
    [InlineData("Registry:CaCertificate", "Registry:Url", "CDC__Registry__CaCertificate=ca.pem")]
    [InlineData("Registry:Client", "Registry:Url", "CDC__Registry__Client__max_retries=2")]
    [InlineData("Registry:Password", "Registry:Username", "CDC__Registry__Password=p", "CDC__Registry__Url=https://r")]
    [InlineData("Kafka:MinInSyncReplicas", "Kafka:ReplicationFactor", "CDC__Kafka__ReplicationFactor=1")]
    [InlineData("Alerts:WarnAbovePercent", "Alerts:AlertAbovePercent", "CDC__Alerts__WarnAbovePercent=0.2")]
    [InlineData("Alerts:AlertAbovePercent", "Alerts:RemediateAbovePercent", "CDC__Alerts__RemediateAbovePercent=0.05")]
    [InlineData("Alerts:RemediateAbovePercent", "Alerts:PageBelowPercent", "CDC__Alerts__PageBelowPercent=99.9")]
    // Of those that are used.
    [InlineData(
        "Alerts:WarnAbovePercent",
        "Alerts:PageBelowPercent",
        "CDC__Alerts__WarnAbovePercent=5",
        "CDC__Alerts__AlertAbovePercent=100",
        "CDC__Alerts__RemediateAbovePercent=100"
    )]
    [InlineData("Alerts:ShortWindow", "Continuous:Interval", "CDC__Continuous__Interval=00:06:00")]
    [InlineData("Alerts:MinSamples", "Continuous:Interval", "CDC__Alerts__MinSamples=31")]
    [InlineData("Reconcile:SliceTime", "Reconcile:StatementTimeout", "CDC__Reconcile__SliceTime=00:01:00")]
    [InlineData("Continuous:SliceTime", "Reconcile:StatementTimeout", "CDC__Continuous__SliceTime=00:01:00")]
    public void A_setting_that_has_no_effect_or_contradicts_another_is_refused_with_both_names(
        string option,
        string other,
        params string[] variables
    )
    {
        File.WriteAllText(_file, "{}");
        var finding = Refused(variables.Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]), Needs.None).Findings.Single();
        Assert.Equal("option-range", finding.Code);
        Assert.Contains(
            OptionOrigin.VariableOf(option)[OptionOrigin.Prefix.Length..],
            finding.Message.Replace(":", "__"),
            StringComparison.Ordinal
        );
        Assert.Contains(other, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CDC__Alerts__AlertAbovePercent=100")]
    [InlineData("CDC__Alerts__PageBelowPercent=0")]
    [InlineData("CDC__Alerts__AlertAbovePercent=0.5")]
    [InlineData("CDC__Continuous__Enabled=false", "CDC__Continuous__Interval=06:00:00")]
    [InlineData("CDC__Api__Urls=https://*:8443", "CDC__Api__Certificate=c.pem")]
    [InlineData("CDC__Entities=odoo-18", "CDC__Entities__Language=id_ID")]
    public void Settings_that_can_be_meant_together_are_taken(params string[] variables)
    {
        File.WriteAllText(_file, "{}");
        ConfigurationLoader.Load(_file, variables.Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]), Needs.None);
    }

    [Theory]
    [InlineData("{}", "CDC__Entities=odoo-18", "CDC__Entities__File=mine.json")]
    [InlineData("""{ "Entities": { "File": "mine.json" } }""", "CDC__Entities=odoo-18")]
    [InlineData("""{ "Entities": "mine.json" }""", "CDC__Entities__File=odoo-18")]
    [InlineData("""{ "Entities": "mine.json" }""", "CDC__Entities=odoo-18")]
    [InlineData("""{ "Entities": { "File": "mine.json" } }""", "CDC__Entities__File=odoo-18")]
    public void Two_declarations_are_refused_and_both_places_are_named(string json, params string[] variables)
    {
        File.WriteAllText(_file, json);
        var finding = Refused(variables.Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]), Needs.None).Findings.Single();
        Assert.Equal("option-twice", finding.Code);
        Assert.All(variables, v => Assert.Contains(v.Split('=')[0], finding.Message, StringComparison.Ordinal));
        if (json.Length > 2)
            Assert.Contains(_file, finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_declaration_in_both_places_is_one()
    {
        File.WriteAllText(_file, """{ "Entities": "odoo-18" }""");
        var options = ConfigurationLoader.Load(_file, new Dictionary<string, string> { ["CDC__Entities"] = "odoo-18" }, Needs.None);
        Assert.Equal("odoo-18", options.Entities.File);
    }

    [Theory]
    [InlineData("Kafka:BootstrapServers", "CDC__Kafka__BootstrapServers=k:9092")]
    [InlineData("Source:ExitOnGap", "CDC__Source__ExitOnGap=true", "CDC__Source__AcceptGaps=true")]
    [InlineData("Continuous:Repair", "CDC__Continuous__Repair=true", "CDC__Continuous__Enabled=false")]
    [InlineData("Continuous:Cutover", "CDC__Continuous__Cutover=2026-01-31T12:00:00Z", "CDC__Continuous__Enabled=false")]
    [InlineData("Alerts:Webhook", "CDC__Alerts__Webhook=https://h", "CDC__Continuous__Enabled=false")]
    public void A_setting_that_is_idle_beside_another_is_a_warning_of_check(string option, params string[] variables)
    {
        File.WriteAllText(_file, "{}");
        var set = variables.Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]);
        var finding = Assert.Single(OptionAdvice.Find(ConfigurationLoader.Load(_file, set, Needs.None)));
        Assert.Equal(("option-idle", false), (finding.Code, finding.IsError));
        Assert.StartsWith(option, finding.Message, StringComparison.Ordinal);
        set[variables[^1].Split('=')[0]] =
            variables.Length == 1 ? ""
            : variables[^1].Contains("false", StringComparison.Ordinal) ? "true"
            : "false";
        Assert.Empty(OptionAdvice.Find(ConfigurationLoader.Load(_file, set, Needs.None)));
    }

    [Fact]
    public void Settings_of_the_Kafka_client_are_passed_on_by_their_own_names()
    {
        File.WriteAllText(_file, """{ "Kafka": { "Client": { "security.protocol": "SASL_SSL", "linger.ms": "1" } } }""");
        var options = ConfigurationLoader.Load(
            _file,
            new Dictionary<string, string> { ["CDC__Kafka__Client__sasl_username"] = "cdc", ["CDC__Kafka__Client__linger.ms"] = "7" },
            Needs.None
        );
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["security.protocol"] = "SASL_SSL",
                ["linger.ms"] = "7",
                ["sasl_username"] = "cdc",
            },
            options.Kafka.Client
        );
    }

    [Fact]
    public void Brokers_are_asked_for_where_the_log_is_Kafka()
    {
        File.WriteAllText(_file, """{ "Engine": { "ConnectionString": "Host=h" }, "Log": { "Kind": "Kafka" } }""");
        Assert.Contains("Kafka:BootstrapServers", Refused([], Needs.Engine).Findings.Single().Message, StringComparison.Ordinal);
    }

    internal static IEnumerable<(string Path, Type Type)> OptionPaths() =>
        OptionBinder
            .PropertiesOf(typeof(CdcOptions))
            .Values.SelectMany(section =>
                OptionBinder.IsSection(section.PropertyType)
                    ? OptionBinder
                        .PropertiesOf(section.PropertyType)
                        .Values.Select(option => ($"{section.Name}:{option.Name}", option.PropertyType))
                    : [(section.Name, section.PropertyType)]
            );

    private static (string, object) Sample(string path, Type type) =>
        type switch
        {
            _ when path == "Odoo:Url" => ("https://odoo.example.com", "https://odoo.example.com"),
            _ when path == "Odoo:Language" => ("id_ID", "id_ID"),
            _ when path == "Odoo:Companies" => ("1,3", "1,3"),
            _ when type == typeof(bool) => ("true", true),
            _ when type == typeof(int) => ("17", 17),
            _ when type == typeof(long) => ("1234567", 1234567L),
            _ when type == typeof(decimal) => ("0.25", 0.25m),
            _ when type == typeof(TimeOnly) => ("13:14:15", new TimeOnly(13, 14, 15)),
            _ when path == "Api:Urls" => ("http://*:1;https://[::1]:2", "http://*:1;https://[::1]:2"),
            _ when path == "Alerts:LongWindow" => ("02:00:00", TimeSpan.FromHours(2)),
            _ when type == typeof(TimeSpan) => ("00:00:02.5", TimeSpan.FromSeconds(2.5)),
            { IsEnum: true } => (Enum.GetNames(type)[^1], Enum.GetValues(type).GetValue(Enum.GetNames(type).Length - 1)!),
            _ when path.EndsWith("OtlpEndpoint", StringComparison.Ordinal) || path == "Registry:Url" => (
                "http://collector:4317",
                "http://collector:4317"
            ),
            _ when path.EndsWith("Webhook", StringComparison.Ordinal) => ("http://127.0.0.1:1/hook", "http://127.0.0.1:1/hook"),
            _ when path.EndsWith("Cutover", StringComparison.Ordinal) => ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            _ when path.EndsWith("ReplicaConnectionString", StringComparison.Ordinal) => ("Host=replica", "Host=replica"),
            _ when path == "Api:TimeZone" => ("Asia/Jakarta", "Asia/Jakarta"),
            _ when path.EndsWith("WorkMem", StringComparison.Ordinal) => ("77MB", "77MB"),
            _ => ("another", "another"),
        };

    private static object? ValueAt(object options, string path) =>
        path.Split(':').Aggregate((object?)options, (value, name) => value!.GetType().GetProperty(name)!.GetValue(value));

    private FindingsException Refused(Dictionary<string, string> environment, Needs needs) =>
        Assert.Throws<FindingsException>(() => ConfigurationLoader.Load(_file, environment, needs));
}
