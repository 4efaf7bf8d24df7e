using Cdc.Tests.Support.Postgres;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;

namespace Cdc.Tests.Support.Containers;

/// <summary>The Docker engine, by way of Testcontainers.</summary>
internal static class Docker
{
    /// <exception cref="MissingPrerequisiteException">There is none, or it cannot be asked.</exception>
    public static async Task<T> StartAsync<TContainer, T>(Func<TContainer> build, Func<TContainer, T> started, CancellationToken ct)
        where TContainer : IContainer
    {
        TContainer container;
        try
        {
            container = build();
        }
        catch (Exception e) when (e is DockerUnavailableException or ArgumentException)
        {
            throw new MissingPrerequisiteException($"{ServerOrigins.Containers}=1, and no Docker engine answers: {e.Message}");
        }
        try
        {
            await container.StartAsync(ct);
            return started(container);
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }
}
