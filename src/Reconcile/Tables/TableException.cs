using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Reconcile.Tables;

/// <summary>One table cannot be compared now, for a reason of its own: all others can.</summary>
public sealed class TableException(FailureKind kind, string message, string remedy, Exception? inner = null)
    : CdcException(kind, message, remedy, inner)
{
    /// <summary>The server whose table is locked by another session; null: it is not that.</summary>
    public Server? LockedAt { get; private init; }

    /// <summary>What a server answered to a statement that reads the entity's table there.</summary>
    internal static TableException Of(Server server, EntityDeclaration entity, PostgresException answer)
    {
        var table = server == Server.Source ? $"Odoo's {entity.SourceName}" : $"The engine's {entity.EngineName}";
        if (answer.SqlState == PostgresErrorCodes.LockNotAvailable)
            return new TableException(
                FailureKind.Unavailable,
                $"{table} is locked by another session and cannot be read.",
                "Wait until the lock is given back, or end that session: the next comparison has the table again.",
                answer
            )
            {
                LockedAt = server,
            };
        var known = ServerFailure.Of(server, answer)!;
        return new TableException(known.Kind, $"{table} cannot be read: {known.Message}", known.Remedy, answer);
    }
}
