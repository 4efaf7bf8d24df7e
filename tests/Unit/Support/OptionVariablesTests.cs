using Cdc.Capture;
using Cdc.Host.Configuration;
using Cdc.Log;
using Cdc.Log.Kafka;
using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Continuous;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Unit.Support;

public sealed class OptionVariablesTests
{
    [Fact]
    public void A_process_reads_the_options_that_a_test_has_set_whatever_their_type()
    {
        var source = new SourceOptions
        {
            ConnectionString = "Host=odoo",
            AcceptGaps = true,
            HeartbeatInterval = TimeSpan.FromMilliseconds(250),
            RememberedKeys = 7,
        };
        var log = new LogOptions { Kind = ChangeLogKind.Kafka, MaxBytes = 5 << 20 };
        var continuous = new ContinuousOptions { Enabled = false, FullAt = new TimeOnly(3, 4, 5) };
        var alerts = new AlertOptions { AlertAbovePercent = 0.25m };
        var client = new Dictionary<string, string> { ["security.protocol"] = "SSL" };

        var read = ConfigurationLoader.Load(
            null,
            new Dictionary<string, string>(
                new[]
                {
                    OptionVariables.Of("Source", source),
                    OptionVariables.Of("Log", log),
                    OptionVariables.Of("Continuous", continuous),
                    OptionVariables.Of("Alerts", alerts),
                    OptionVariables.Of("Kafka", new KafkaOptions { BootstrapServers = "kafka:9092", Client = client }),
                }
                    .SelectMany(v => v)
                    .Select(v => new KeyValuePair<string, string>(v.Key, v.Value!))
            ),
            Needs.None
        );

        Assert.Equal((source, log, continuous, alerts), (read.Source, read.Log, read.Continuous, read.Alerts));
        Assert.Equal("kafka:9092", read.Kafka.BootstrapServers);
        // The pipeline takes underscores for dots.
        Assert.Equal(("security_protocol", "SSL"), read.Kafka.Client.Select(c => (c.Key, c.Value)).Single());
    }
}
