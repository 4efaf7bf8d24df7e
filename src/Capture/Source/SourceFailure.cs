using Cdc.Core.Failures;
using Cdc.Core.Postgres;

namespace Cdc.Capture.Source;

/// <summary>Failures of the source, as <see cref="ServerFailure"/> explains them.</summary>
public static class SourceFailure
{
    /// <returns>Null for what is not the source's doing: a defect of cdc, or a cancellation.</returns>
    public static ServerFailure? Of(Exception exception) => ServerFailure.Of(Server.Source, exception);

    /// <summary>Runs a piece of work against the source; what fails in it is the source's doing.</summary>
    /// <exception cref="CdcException">Typed, with its remedy.</exception>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (Of(e) is { } failure)
        {
            throw failure.ToException(e);
        }
    }
}
