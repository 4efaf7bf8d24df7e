using Cdc.Core.Entities;
using Cdc.Engine.Migrations;
using Cdc.Engine.Ownership;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Integration.Host;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary>The delivered entities, of which cards, moves and history flow back to Odoo: points are added to, partner and origin are owned.</summary>
internal static class OwnedEntities
{
    /// <summary>Where ids of the engine's own begin.</summary>
    public const long First = EntityDeclaration.FirstEngineId;

    public const string Text = """
        { "include": "entities.json",
          "entities": [
            { "name": "card", "reverse": { "model": "loyalty.card", "number": "x_cdc_seq", "ref": "x_cdc_ref", "additive": ["points"], "fields": {
                "points": { "type": "double precision", "value": "points::double precision" },
                "partner_id": { "type": "bigint", "value": "partner_id" } } } },
            { "name": "move", "reverse": { "model": "loyalty.point.move", "card": "loyalty_card_id", "fields": {
                "remaining_point": { "type": "double precision", "value": "remaining_point::double precision" },
                "state": { "type": "text", "value": "state" } } } },
            { "name": "history", "reverse": { "model": "loyalty.point.history", "card": "loyalty_card_id", "ref": "x_cdc_ref", "fields": {
                "points_amount": { "type": "double precision", "value": "points_amount::double precision" },
                "origin": { "type": "text", "value": "origin" } } } },
          ] }
        """;

    public static EntitySet All { get; } = EntityFile.Parse(Text, SourceTree.PathOf("schemas/owned.json"));

    /// <summary>Three cards of two companies in the engine of <c>cdc</c>'s commands, as Apply would have written them.</summary>
    public static async Task<HostWorld> CreateWorldAsync(TestServers servers)
    {
        var world = await HostWorld.CreateUnmigratedAsync(servers, All);
        Assert.Equal(0, (await world.RunAsync("migrate")).ExitCode);
        await world.EngineAsync(
            """
            BEGIN; SET LOCAL session_replication_role = replica;
            INSERT INTO loyalty_cards (id, odoo_card_id, program_id, company_id, code, points) SELECT i, i, 1, 1 + i % 2, 'C' || i, 100 FROM generate_series(1, 3) i;
            COMMIT
            """
        );
        return world;
    }

    public static async Task<TestDatabase> CreateEngineAsync(TestServers servers, CancellationToken ct)
    {
        var engine = await servers.CreateEngineAsync("owned", ct);
        await DeclaredOwnership.EnsureAsync(engine.DataSource, All, _ => { }, ct);
        return engine;
    }

    /// <summary>Gives the bed's engine owners, and its Odoo the number of own changes, before anything runs.</summary>
    public static async Task UseAsync(PipelineBed bed, CancellationToken ct)
    {
        bed.Entities = All;
        await bed.Source.ExecuteAsync(
            "ALTER TABLE loyalty_card ADD COLUMN x_cdc_seq double precision, ADD COLUMN x_cdc_ref varchar; ALTER TABLE loyalty_point_history ADD COLUMN x_cdc_ref varchar",
            ct
        );
        await DeclaredOwnership.EnsureAsync(bed.Engine.DataSource, All, _ => { }, ct);
    }

    /// <summary>As Apply would write them.</summary>
    public static Task CardsAsync(TestDatabase engine, int count, string? owner, CancellationToken ct) =>
        engine.ExecuteAsync(
            $"""
            BEGIN; SET LOCAL session_replication_role = replica;
            INSERT INTO loyalty_cards (id, odoo_card_id, program_id, partner_id, company_id, code, points)
            SELECT i, i, 1, i, 1 + i % 2, 'C' || i, 100 FROM generate_series(1, {count}) i;
            UPDATE loyalty_cards SET owner = {(owner is null ? "NULL" : $"'{owner}'")} WHERE {(owner is null ? "false" : "true")};
            COMMIT
            """,
            ct
        );
}
