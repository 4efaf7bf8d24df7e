using Cdc.Workload.Plan;
using Cdc.Workload.Transactions;
using Npgsql;

namespace Cdc.Workload;

/// <summary>Carries out one session's plan on one connection.</summary>
internal sealed class WorkloadSession(
    NpgsqlDataSource source,
    WorkloadOptions options,
    WorkloadCounts counts,
    SessionPlan plan,
    CardDeck deck
)
{
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromMilliseconds(200);
    private NpgsqlConnection? _connection;

    /// <summary>Runs until <paramref name="stop"/> or for so many transactions; the one that runs then may finish until <paramref name="abort"/>.</summary>
    public async Task RunAsync(Pacer pacer, long? transactions, CancellationToken abort, CancellationToken stop)
    {
        try
        {
            for (long done = 0; done < (transactions ?? long.MaxValue) && !stop.IsCancellationRequested; done++)
            {
                await pacer.NextAsync(stop).ConfigureAwait(false);
                await CarryOutAsync(plan.Next(), abort, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopping is how an endless run ends.
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Tries until it is done, as Odoo does after a serialization failure.</summary>
    private async Task CarryOutAsync(PlannedTransaction planned, CancellationToken abort, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                _connection ??= await source.OpenConnectionAsync(stop).ConfigureAwait(false);
                await ExecuteAsync(new OdooConnection(_connection), planned, abort).ConfigureAwait(false);
                counts.Done(planned.Kind);
                return;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected)
            {
                counts.Retry();
            }
            catch (PostgresException e) when (e.SqlState.StartsWith("23", StringComparison.Ordinal))
            {
                counts.Refuse();
                return;
            }
            catch (NpgsqlException e)
                when (e.IsTransient
                    || _connection is null or { FullState: System.Data.ConnectionState.Broken or System.Data.ConnectionState.Closed }
                )
            {
                counts.Disconnect();
                await CloseAsync().ConfigureAwait(false);
                await Task.Delay(ReconnectPause, stop).ConfigureAwait(false);
            }
            stop.ThrowIfCancellationRequested();
        }
    }

    private async Task ExecuteAsync(OdooConnection odoo, PlannedTransaction planned, CancellationToken ct)
    {
        var points = new PointTransactions(odoo);
        var cards = new CardTransactions(odoo);
        var bulk = new BulkTransactions(odoo);
        if (deck.Count == 0)
        {
            deck.Add(await cards.NewAsync(planned, ct).ConfigureAwait(false));
            return;
        }
        var card = deck.At(planned.Card);
        var other = deck.At(planned.OtherCard);
        switch (planned.Kind)
        {
            case TransactionKind.Order:
                await points.OrderAsync(card, planned, ct).ConfigureAwait(false);
                break;
            case TransactionKind.Earn:
                await points.EarnAsync(card, planned, ct).ConfigureAwait(false);
                break;
            case TransactionKind.Consume:
                await points.ConsumeAsync(card, planned, ct).ConfigureAwait(false);
                break;
            case TransactionKind.Rollback:
                await points.RollbackAsync(card, planned, ct).ConfigureAwait(false);
                break;
            case TransactionKind.Savepoint:
                await points.SavepointAsync(card, other, planned, ct).ConfigureAwait(false);
                break;
            case TransactionKind.RepeatableRead:
                await points.RepeatableReadAsync(deck.HasShared ? deck.Shared(planned.Card) : card, planned, ct).ConfigureAwait(false);
                break;
            case TransactionKind.NewCard:
                deck.Add(await cards.NewAsync(planned, ct).ConfigureAwait(false));
                break;
            case TransactionKind.SwapCodes:
                await cards.SwapCodesAsync(card, other, ct).ConfigureAwait(false);
                break;
            case TransactionKind.Unlink:
                await cards.UnlinkAsync(card, ct).ConfigureAwait(false);
                deck.Remove(card);
                break;
            case TransactionKind.Damage:
                await cards.DamageAsync(card, planned, ct).ConfigureAwait(false);
                deck.MarkDamaged(card);
                break;
            case TransactionKind.Repair:
                if (deck.HasDamaged)
                    card = deck.Damaged(planned.Card);
                await cards.RepairAsync(card, planned, ct).ConfigureAwait(false);
                deck.MarkRepaired(card);
                break;
            case TransactionKind.BulkCopy:
                await bulk.CopyAsync(deck, options.BulkRows, planned, ct).ConfigureAwait(false);
                break;
            case TransactionKind.Expiry:
                await bulk.ExpireAsync(options.ExpiryRows, ct).ConfigureAwait(false);
                break;
            default:
                throw new InvalidOperationException($"Transactions of kind {planned.Kind} are not known here.");
        }
    }

    private async Task CloseAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync().ConfigureAwait(false);
        _connection = null;
    }
}
