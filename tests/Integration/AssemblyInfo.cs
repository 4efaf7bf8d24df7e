using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Xunit;

[assembly: AssemblyFixture(typeof(TestServers))]
[assembly: AssemblyFixture(typeof(TestKafka))]
