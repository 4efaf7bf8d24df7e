using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Xunit;

[assembly: AssemblyFixture(typeof(TestServers))]
[assembly: AssemblyFixture(typeof(TestKafka))]

// What a failed test has printed is shown with it; of the others nothing.
[assembly: CaptureConsole]
