using Cdc.Tests.Support.Postgres;
using Xunit;

[assembly: AssemblyFixture(typeof(TestServers))]
