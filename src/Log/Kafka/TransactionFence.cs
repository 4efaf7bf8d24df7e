using System.Diagnostics;
using Cdc.Core.Failures;
using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>Takes a transactional id: its previous owner is fenced, and the transaction that it left open is aborted.</summary>
internal static class TransactionFence
{
    /// <summary>The client goes on asking behind a call that has timed out; so soon a stop of the session is seen.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <exception cref="KafkaException">The brokers refuse the id, or know no transactions.</exception>
    /// <exception cref="CdcException">Unavailable: they do not answer, or end no transaction.</exception>
    public static Task TakeAsync(KafkaClients clients, IProducer<byte[], byte[]> producer, string id, CancellationToken ct) =>
        Task.Run(
            () =>
            {
                var began = Stopwatch.GetTimestamp();
                while (true)
                {
                    ct.ThrowIfCancellationRequested();
                    try
                    {
                        producer.InitTransactions(Step);
                        return;
                    }
                    catch (KafkaException e) when (e.Error.Code == ErrorCode.TransactionalIdAuthorizationFailed)
                    {
                        throw clients.Denied(new KafkaRight(KafkaResource.TransactionalId, id, KafkaOperation.Write), e);
                    }
                    catch (KafkaRetriableException e)
                    {
                        if (Stopwatch.GetElapsedTime(began) > Timeout)
                            throw NotTaken(id, e);
                        ct.WaitHandle.WaitOne(Pause);
                    }
                }
            },
            ct
        );

    private static CdcException NotTaken(string id, KafkaException e) =>
        new(
            FailureKind.Unavailable,
            $"The brokers have not handed over transactional id {id} in {Timeout.TotalSeconds:0} s ({e.Error.Code}): {e.Error.Reason}.",
            "Nothing is lost: cdc tries again. Check the brokers, and whether as many of them are up as "
                + "transaction.state.log.replication.factor and transaction.state.log.min.isr ask for (ops/runbooks/kafka.md).",
            e
        );
}
