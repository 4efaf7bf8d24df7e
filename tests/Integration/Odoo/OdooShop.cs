using Cdc.Api;
using Cdc.Core.Entities;
using Cdc.Pipeline.Setup;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>A real Odoo's tables with a program, a pipeline with the preset, and the Api.</summary>
internal sealed class OdooShop : IAsyncDisposable
{
    private const string Rows = """
        INSERT INTO res_partner (id, name, active) VALUES (3, 'Ada', true);
        INSERT INTO loyalty_program (id, company_id, currency_id, program_type, applies_on, name, portal_point_name, active) VALUES
            (7, 1, 1, 'loyalty', 'both', '{"en_US": "CDC Points", "id_ID": "Poin CDC"}', '{"en_US": "Points"}', true),
            (8, NULL, 1, 'coupons', 'future', '{"en_US": "10% Discount Coupons", "fr_FR": "Bon de réduction de 10%"}', NULL, true);
        """;

    private OdooShop(PipelineBed bed) => Bed = bed;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public PipelineBed Bed { get; }
    public ApiBed Api { get; private set; } = null!;

    public static async Task<OdooShop> OpenAsync(
        TestServers servers,
        OdooVersion version,
        string more = "",
        EntitySet? entities = null,
        ApiOptions? api = null,
        string engine = ""
    )
    {
        var bed = await PipelineBed.CreateAsync(servers, version, Ct);
        var shop = new OdooShop(bed);
        bed.Entities = entities ?? bed.Entities;
        foreach (var part in bed.Entities.Parts)
            await Preconditions.OfPreset(bed.Engine.DataSource, part)!.UpAsync(null, Ct);
        if (engine.Length > 0)
            await bed.Engine.ExecuteAsync(engine, Ct);
        await bed.Source.ExecuteAsync(Rows + more, Ct);
        var pipeline = bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        shop.Api = await ApiBed.StartAsync(bed, Ct, api, statistics: pipeline.Statistics);
        return shop;
    }

    /// <summary>Changes Odoo, and waits until the engine is equal.</summary>
    public async Task ChangeAsync(string sql)
    {
        await Bed.Source.ExecuteAsync(sql, Ct);
        await Bed.CaughtUpAsync(Ct);
        await Bed.AssertEqualAsync(Ct);
    }

    /// <summary>Not older than what was changed last.</summary>
    public async Task<Answer> CardAsync(string code, string rest = "/balance")
    {
        var position = await Bed.Source.ScalarAsync<string>("SELECT pg_current_wal_insert_lsn()::text", Ct);
        return await GetAsync($"/cards/{Uri.EscapeDataString(code)}{rest}?min-position={position}&wait=10");
    }

    public Task<Answer> GetAsync(string path) => Api.GetAsync(path, Ct);

    public async ValueTask DisposeAsync()
    {
        if (Api is not null)
            await Api.DisposeAsync();
        await Bed.DisposeAsync();
    }
}
