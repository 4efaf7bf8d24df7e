using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Host.Configuration;

namespace Cdc.Host.Servers;

/// <summary>Whether each server has room for the connections that <c>cdc run</c> opens.</summary>
internal static class ConnectionCheck
{
    /// <param name="asksSource">False: the source is let go of.</param>
    /// <returns>Nothing of a server that cannot be asked: another check says why.</returns>
    public static async Task<IReadOnlyList<Finding>> FindAsync(CdcOptions options, bool asksSource, CancellationToken ct)
    {
        await using var source = Database.Source(options.Source.ConnectionString);
        await using var engine = Database.Engine(options.Engine.ConnectionString);
        return
        [
            .. asksSource ? await FindAsync(source, "source", ConnectionNeeds.OfSource(options), ct) : [],
            .. await FindAsync(engine, "engine", ConnectionNeeds.OfEngine(options), ct),
        ];
    }

    private static async Task<IEnumerable<Finding>> FindAsync(Database server, string name, ConnectionNeeds needs, CancellationToken ct)
    {
        try
        {
            return (await server.UseAsync(c => ConnectionRoom.ReadAsync(c, ct), ct)).Findings(name, needs.Most, needs.Least);
        }
        catch (CdcException)
        {
            return [];
        }
    }
}
