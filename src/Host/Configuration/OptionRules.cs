using System.Text.RegularExpressions;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Npgsql;

namespace Cdc.Host.Configuration;

/// <summary>What option values must satisfy, so that a wrong one is refused before anything is touched.</summary>
internal sealed partial class OptionRules(OptionOrigin origin, ICollection<Finding> findings)
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromMinutes(5);

    public void Check(CdcOptions options, Needs needs)
    {
        if (needs.HasFlag(Needs.Source))
            Connection("Source:ConnectionString", options.Source.ConnectionString);
        if (needs.HasFlag(Needs.Engine))
            Connection("Engine:ConnectionString", options.Engine.ConnectionString);
        Source(options);
        Sizes(options);
        Kafka(options, needs);
        Registry(options.Registry);
        Api(options.Api);
        var reconcile = new ReconcileRules(Require);
        reconcile.Check(options.Continuous);
        reconcile.Check(options.Alerts);
    }

    private void Kafka(CdcOptions options, Needs needs)
    {
        var kafka = options.Kafka;
        if (options.Log.Kind == Cdc.Log.ChangeLogKind.Kafka && needs != Needs.None)
            Require(
                kafka.BootstrapServers.Length > 0,
                "Kafka:BootstrapServers",
                "must name brokers, such as kafka-1:9092,kafka-2:9092, where Log:Kind is Kafka"
            );
        Require(
            TopicNames().IsMatch(kafka.TopicPrefix),
            "Kafka:TopicPrefix",
            "must be 1 to 100 letters, digits, dots, underscores and hyphens, as Kafka demands of topics"
        );
        Require(kafka.Group.Length > 0, "Kafka:Group", "must name a consumer group");
        AtLeast("Kafka:Workers", kafka.Workers, 1);
        Require(kafka.Workers <= 64, "Kafka:Workers", "must be at most 64: each holds connections to the engine");
        AtLeast("Kafka:Partitions", kafka.Partitions, 1);
        AtLeast("Kafka:ReplicationFactor", kafka.ReplicationFactor, 1);
        AtLeast("Kafka:MinInSyncReplicas", kafka.MinInSyncReplicas, 1);
    }

    private void Api(Cdc.Api.ApiOptions api)
    {
        Require(
            Cdc.Api.ApiOptions.CanListenAt(api.Urls),
            "Api:Urls",
            "must be addresses such as http://127.0.0.1:8642, parted by semicolons"
        );
        if (api.ReplicaConnectionString.Length > 0)
            Connection("Api:ReplicaConnectionString", api.ReplicaConnectionString);
        AtLeast("Api:Connections", api.Connections, 1);
        Require(api.Connections <= 1000, "Api:Connections", "must be at most 1000");
        Interval("Api:Timeout", api.Timeout);
        AtLeast("Api:CacheBytes", api.CacheBytes, 0);
        AtLeast("Api:RequestsPerSecond", api.RequestsPerSecond, 1);
        Require(api.LagLimit > TimeSpan.Zero, "Api:LagLimit", "must be longer than nothing");
        Require(
            api.OtlpEndpoint.Length == 0
                || (Uri.TryCreate(api.OtlpEndpoint, UriKind.Absolute, out var otlp) && otlp.Scheme is "http" or "https"),
            "Api:OtlpEndpoint",
            "must be a URL such as http://collector:4317"
        );
    }

    private void Registry(Cdc.Log.Registry.RegistryOptions registry)
    {
        Require(
            registry.Url.Length == 0
                || registry
                    .Url.Split(',', StringSplitOptions.TrimEntries)
                    .All(one => Uri.TryCreate(one, UriKind.Absolute, out var url) && url is { Scheme: "http" or "https", UserInfo: "" }),
            "Registry:Url",
            "must be a URL such as https://registry:8081, or several with commas between them, without user and password (Registry:Username, Registry:Password), or nothing for the built-in registry"
        );
        Interval("Registry:Timeout", registry.Timeout);
    }

    private void Source(CdcOptions options)
    {
        var source = options.Source;
        Require(
            SlotNames().IsMatch(source.SlotName),
            "Source:SlotName",
            "must be 1 to 63 lower-case letters, digits and underscores, as PostgreSQL demands of slots"
        );
        Require(source.Publication.Length is > 0 and <= 63, "Source:Publication", "must be 1 to 63 characters");
        Require(
            MemorySizes().IsMatch(source.LogicalDecodingWorkMem),
            "Source:LogicalDecodingWorkMem",
            "must be a size as PostgreSQL writes it, such as 256MB"
        );
        Interval("Source:HeartbeatInterval", source.HeartbeatInterval);
        Interval("Engine:FeedbackInterval", options.Engine.FeedbackInterval);
        Require(
            options.Engine.FenceHoldTimeout >= ShortestInterval && options.Engine.FenceHoldTimeout <= LongestHold,
            "Engine:FenceHoldTimeout",
            $"must be between {ShortestInterval} and {LongestHold}: changes wait meanwhile"
        );
        Interval("Fence:Timeout", options.Fence.Timeout);
        AtLeast("Fence:Attempts", options.Fence.Attempts, 1);
        AtLeast("Reconcile:SliceRows", options.Reconcile.SliceRows, 1);
        Interval("Reconcile:SliceTime", options.Reconcile.SliceTime);
        Interval("Reconcile:StatementTimeout", options.Reconcile.StatementTimeout);
        AtLeast("Reconcile:MaxDrift", options.Reconcile.MaxDrift, 0);
        Require(options.Entities.Length > 0, "Entities", "must be the path of the entities declaration");
    }

    private void Sizes(CdcOptions options)
    {
        AtLeast("Source:RememberedKeys", options.Source.RememberedKeys, 1);
        AtLeast("Engine:BatchRows", options.Engine.BatchRows, 1);
        AtLeast("Engine:BatchBytes", options.Engine.BatchBytes, 65_536);
        AtLeast("Log:MaxBytes", options.Log.MaxBytes, 65_536);
        AtLeast("Snapshot:Workers", options.Snapshot.Workers, 1);
        Require(options.Snapshot.Workers <= 64, "Snapshot:Workers", "must be at most 64: each holds a connection to both servers");
        AtLeast("Snapshot:ChunkRows", options.Snapshot.ChunkRows, 1);
        AtLeast("Snapshot:ChunkBytes", options.Snapshot.ChunkBytes, 65_536);
    }

    private void Connection(string path, string text)
    {
        var variable = OptionOrigin.VariableOf(path);
        if (string.IsNullOrWhiteSpace(text))
            Add(path, $"{path} is missing", $"export {variable}='Host=...;Port=5432;Database=...;Username=...;Password=...'");
        else if (!IsConnectionString(text))
            // The text is not repeated, nor Npgsql's message: parts of a password with a semicolon in it would show.
            Add(
                path,
                $"{origin.Of(path)} is not an Npgsql connection string with a Host",
                "Write it as Host=...;Port=5432;Database=...;Username=...;Password='...' (quote values that contain a semicolon)."
            );
    }

    private static bool IsConnectionString(string text)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(text);
            return !string.IsNullOrEmpty(settings.Host) && settings.Port is > 0 and <= System.Net.IPEndPoint.MaxPort;
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or OverflowException)
        {
            return false;
        }
    }

    private void Interval(string path, TimeSpan value) =>
        Require(value >= ShortestInterval && value <= LongestInterval, path, $"must be between {ShortestInterval} and {LongestInterval}");

    private void AtLeast(string path, long value, long least) => Require(value >= least, path, $"must be at least {least}");

    private void Require(bool holds, string path, string rule)
    {
        if (!holds)
            Add(
                path,
                $"{origin.Of(path)} {rule}",
                $"Correct it, or leave it out for the default; {OptionOrigin.VariableOf(path)} overrides the file."
            );
    }

    private void Add(string path, string what, string remedy) =>
        findings.Add(
            new Finding(
                path.EndsWith("ConnectionString", StringComparison.Ordinal) ? "connection-string" : "option-range",
                IsError: true,
                what + ".",
                remedy
            )
        );

    [GeneratedRegex("^[a-z0-9_]{1,63}\\z")]
    private static partial Regex SlotNames();

    [GeneratedRegex("^[A-Za-z0-9._-]{1,100}\\z")]
    private static partial Regex TopicNames();

    [GeneratedRegex("^[1-9][0-9]*(kB|MB|GB)\\z")]
    private static partial Regex MemorySizes();
}
