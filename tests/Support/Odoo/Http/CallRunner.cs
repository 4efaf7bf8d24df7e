using System.Data;
using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Methods;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Orm;
using Npgsql;

namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>
/// Runs a call as Odoo does: one transaction, REPEATABLE READ; after a serialization failure all of it again, five times in all; what
/// breaks a constraint at the end is a ValidationError.
/// </summary>
internal sealed class CallRunner(NpgsqlDataSource source, OdooModels models, OdooStandInOptions options)
{
    private const int Tries = 5;

    public Refusals Refusals { get; } = new();

    /// <param name="beforeCommit">A fault.</param>
    public async Task<object?> RunAsync(int uid, ModelCall call, Func<Task>? beforeCommit, CancellationToken ct)
    {
        if (call.Context.GetValueOrDefault("lang") is string language && !options.Languages.Contains(language))
            throw OdooError.User($"Invalid language code: {language}");
        for (var attempt = 1; ; attempt++)
            try
            {
                return await AttemptAsync(uid, call, beforeCommit, ct);
            }
            catch (PostgresException e) when (e.IsIntegrity())
            {
                throw OdooError.Validation($"The operation cannot be completed: {e.Explain(models).Message}");
            }
            catch (PostgresException e) when (!e.IsRetried() || attempt == Tries)
            {
                throw e.AsOdoo();
            }
            catch (PostgresException)
            {
                await Task.Delay(options.RetryPause * (Random.Shared.NextDouble() * (1 << attempt)), ct);
            }
    }

    private async Task<object?> AttemptAsync(int uid, ModelCall call, Func<Task>? beforeCommit, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var user = await Logins.UserAsync(connection, uid, ct);
        var env = new OdooEnvironment(connection, models, user, call.Context, ct) { Refusals = Refusals };
        var result = await ModelMethods.CallAsync(env, call.Model.Name, call.Method, call.Ids, call.Arguments);
        if (beforeCommit is not null)
            await beforeCommit();
        await transaction.CommitAsync(ct);
        return result;
    }
}
