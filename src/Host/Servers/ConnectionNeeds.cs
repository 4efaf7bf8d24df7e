using Cdc.Host.Configuration;
using Cdc.Log;

namespace Cdc.Host.Servers;

/// <summary>How many connections <c>cdc run</c> opens to each server, by what it does (docs/architecture.md, "What runs where").</summary>
/// <param name="Most">If everything that it may do happens at once.</param>
/// <param name="Least">Without which it does not run.</param>
internal sealed record ConnectionNeeds(int Most, int Least)
{
    /// <summary>Stream, markers, the watch of the catalog, one chunk, and one that looks at the slot or the publication.</summary>
    private const int SourceAtLeast = 5;

    /// <summary>Rows, feedback, pulse, chunk queue, two for fences, one load, the record of the source, and what tells others how it stands.</summary>
    private const int EngineAtLeast = 9;

    /// <summary>Of the Api, beside the connections of requests and those of status and quarantine.</summary>
    private const int Listener = 1;

    /// <summary>A fence: the one that asks, and the one that holds the snapshot.</summary>
    private const int Fence = 2;

    /// <summary>Of a worker over Kafka: rows, pulse, and the one that takes partitions.</summary>
    private const int EachWorker = 3;

    /// <summary>Of the way back: what is sent, and notices.</summary>
    private const int WayBack = 2;

    /// <summary>The built-in registry's.</summary>
    private const int Registry = Database.MostConnections;

    public static ConnectionNeeds OfSource(CdcOptions options) =>
        new(
            SourceAtLeast
                + options.Snapshot.Workers
                - 1
                + Served(options, options.Api.OdooConnections)
                + (options.Continuous.Enabled ? Database.MostConnections + 1 : 0),
            SourceAtLeast
        );

    public static ConnectionNeeds OfEngine(CdcOptions options) =>
        new(
            EngineAtLeast
                + options.Snapshot.Workers
                - 1
                + Served(options, options.Api.Connections + Listener)
                + (options.Continuous.Enabled ? Database.MostConnections + Fence : 0)
                + (options.Reverse.Enabled ? WayBack : 0)
                + (options.Log.Kind == ChangeLogKind.Kafka ? Registry + options.Kafka.Workers * EachWorker : 0),
            EngineAtLeast
        );

    private static int Served(CdcOptions options, int ofRequests) => options.Api.Enabled ? Database.MostConnections + ofRequests : 0;
}
