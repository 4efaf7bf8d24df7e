using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine;

/// <summary>The engine failed. A failure of the source has the same exception types; this one separates the two.</summary>
public sealed class EngineException(CdcException failure, Exception inner) : Exception(failure.Message, inner)
{
    /// <summary>Typed, with its remedy. <see cref="FailureKind.Unavailable"/> passes by itself: try again.</summary>
    public CdcException Failure { get; } = failure;
}

/// <summary>
/// Work against the engine: its failures are separate from those of the source. What they mean: <see cref="ServerFailure"/>.
/// </summary>
public static class EngineErrors
{
    public const string UniqueViolation = "23505";

    /// <inheritdoc cref="SqlStates.IsOfRow"/>
    public static bool IsOfRow(PostgresException e) => SqlStates.IsOfRow(e.SqlState);

    /// <summary>Runs a piece of work against the engine; what fails in it is the engine's doing.</summary>
    /// <exception cref="EngineException">Npgsql, or the network below it, failed.</exception>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (ServerFailure.Of(Server.Engine, e) is { } failure)
        {
            throw new EngineException(failure.ToException(e), e);
        }
    }

    public static Task GuardAsync(Func<Task> work) =>
        GuardAsync(async () =>
        {
            await work();
            return true;
        });
}
