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
                await pacer.NextAsync(stop);
                await CarryOutAsync(plan.Next(), abort, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Stopping is how an endless run ends.
        }
        finally
        {
            await CloseAsync();
        }
    }

    /// <summary>Tries until it is done, as Odoo does after a serialization failure.</summary>
    private async Task CarryOutAsync(PlannedTransaction planned, CancellationToken abort, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                _connection ??= await source.OpenConnectionAsync(stop);
                await ExecuteAsync(new OdooConnection(_connection), planned, abort);
                counts.Done(planned.Kind);
                return;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected)
            {
                counts.Retry();
            }
            catch (PostgresException e) when (IsRefusal(e.SqlState))
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
                await CloseAsync();
                await Task.Delay(ReconnectPause, stop);
            }
            stop.ThrowIfCancellationRequested();
        }
    }

    /// <summary>By the source's own constraints (23); or, where that is outlived, by what its tables have become.</summary>
    private bool IsRefusal(string sqlState) =>
        sqlState.StartsWith("23", StringComparison.Ordinal)
        || (
            options.OutlivesRefusals
            && (
                sqlState.StartsWith("42", StringComparison.Ordinal)
                // A number in binary COPY for a column that is text now.
                || sqlState.StartsWith("22", StringComparison.Ordinal)
                || sqlState is PostgresErrorCodes.ObjectNotInPrerequisiteState or PostgresErrorCodes.FeatureNotSupported
            )
        );

    private async Task ExecuteAsync(OdooConnection odoo, PlannedTransaction planned, CancellationToken ct)
    {
        if (options.Odoo.IsStock())
        {
            await new StockTransactions(odoo, options.Odoo, deck).CarryOutAsync(planned, options.BulkRows, ct);
            return;
        }
        var points = new PointTransactions(odoo);
        var cards = new CardTransactions(odoo, options.Odoo);
        var bulk = new BulkTransactions(odoo);
        if (deck.Count == 0)
        {
            deck.Add(await cards.NewAsync(planned, ct));
            return;
        }
        var card = deck.At(planned.Card);
        var other = deck.At(planned.OtherCard);
        switch (planned.Kind)
        {
            case TransactionKind.Order:
                await points.OrderAsync(card, planned, ct);
                break;
            case TransactionKind.Earn:
                await points.EarnAsync(card, planned, ct);
                break;
            case TransactionKind.Consume:
                await points.ConsumeAsync(card, planned, ct);
                break;
            case TransactionKind.Rollback:
                await points.RollbackAsync(card, planned, ct);
                break;
            case TransactionKind.Savepoint:
                await points.SavepointAsync(card, other, planned, ct);
                break;
            case TransactionKind.RepeatableRead:
                await points.RepeatableReadAsync(deck.HasShared ? deck.Shared(planned.Card) : card, planned, ct);
                break;
            case TransactionKind.NewCard:
                deck.Add(await cards.NewAsync(planned, ct));
                break;
            case TransactionKind.SwapCodes:
                await cards.SwapCodesAsync(card, other, ct);
                break;
            case TransactionKind.Unlink:
                await cards.UnlinkAsync(card, ct);
                deck.Remove(card);
                break;
            case TransactionKind.Damage:
                await cards.DamageAsync(card, planned, ct);
                deck.MarkDamaged(card);
                break;
            case TransactionKind.Repair:
                if (deck.HasDamaged)
                    card = deck.Damaged(planned.Card);
                await cards.RepairAsync(card, planned, ct);
                deck.MarkRepaired(card);
                break;
            case TransactionKind.BulkCopy:
                await bulk.CopyAsync(deck, options.BulkRows, planned, ct);
                break;
            case TransactionKind.Expiry:
                await bulk.ExpireAsync(options.ExpiryRows, ct);
                break;
            default:
                throw new InvalidOperationException($"Transactions of kind {planned.Kind} are not known here.");
        }
    }

    private async Task CloseAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync();
        _connection = null;
    }
}
