using Cdc.Tests.Support.Containers;

namespace Cdc.Tests.Support.Postgres;

/// <summary>
/// The pair of servers of one test run. An xunit assembly fixture: <c>[assembly: AssemblyFixture(typeof(TestServers))]</c>, then a
/// constructor parameter in each test class.
/// </summary>
public sealed class TestServers : IAsyncDisposable
{
    /// <summary>Odoo's side; <c>CDC_TEST_SOURCE</c>.</summary>
    public TestServer Source { get; } =
        new("source", ServerOrigins.Here.Source, ServerOrigins.SourceVariable, PostgresContainer.SourceImage);

    /// <summary>The engine's side; <c>CDC_TEST_ENGINE</c>.</summary>
    public TestServer Engine { get; } =
        new("engine", ServerOrigins.Here.Engine, ServerOrigins.EngineVariable, PostgresContainer.EngineImage);

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Engine.DisposeAsync();
    }
}
