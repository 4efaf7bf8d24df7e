using Npgsql;

namespace Cdc.Tests.Support.Postgres;

/// <summary>
/// Roles and their rights on settings belong to a server, and tests that run beside each other change them: PostgreSQL does not let the
/// second one wait, but refuses it (XX000, tuple concurrently updated).
/// </summary>
public static class SharedCatalog
{
    private const int Attempts = 20;

    /// <param name="change">One transaction; it is repeated where another was quicker.</param>
    public static async Task ChangeAsync(Func<Task> change)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                await change();
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InternalError && attempt < Attempts)
            {
                // The other one has committed: there is nothing to wait for.
            }
    }
}
