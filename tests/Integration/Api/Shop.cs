using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Api;

/// <summary>A few cards in Odoo, a pipeline that follows it in this process, and the Api over the engine.</summary>
internal sealed class Shop : IAsyncDisposable
{
    private const string Rows = """
        INSERT INTO loyalty_program (id, name, active) VALUES (1, 'shop', true);
        INSERT INTO loyalty_card (id, program_id, partner_id, company_id, code, points) SELECT i, 1, 1 + i % 3, 1 + i % 2, 'card ' || i, i + 0.5 FROM generate_series(1, 20) i;
        INSERT INTO loyalty_point_history (loyalty_card_id, points_amount, points_balance, transaction_time)
        SELECT 1, i, i, CASE WHEN i > 2 THEN timestamp '2026-01-01' + (i / 2) * interval '1 minute' END FROM generate_series(1, 9) i;
        """;

    private Shop(PipelineBed bed) => Bed = bed;

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public PipelineBed Bed { get; }
    public ApiBed Api { get; private set; } = null!;
    public TestDatabase Source => Bed.Source;
    public TestDatabase Engine => Bed.Engine;
    public InProcessPipeline Pipeline { get; private set; } = null!;

    public static async Task<Shop> OpenAsync(TestServers servers, Func<PipelineBed, InProcessPipeline, Task<ApiBed>>? api = null) =>
        await OpenAsync(await PipelineBed.CreateAsync(servers, Ct), api);

    /// <param name="bed">Its own: it ends with the shop.</param>
    public static async Task<Shop> OpenAsync(PipelineBed bed, Func<PipelineBed, InProcessPipeline, Task<ApiBed>>? api = null)
    {
        var shop = new Shop(bed);
        await shop.Source.ExecuteAsync(Rows, Ct);
        shop.Pipeline = shop.Bed.StartInProcess();
        await shop.Bed.CaughtUpAsync(Ct);
        shop.Api = api is null
            ? await ApiBed.StartAsync(shop.Bed, Ct, statistics: shop.Pipeline.Statistics)
            : await api(shop.Bed, shop.Pipeline);
        return shop;
    }

    /// <summary>Changes Odoo.</summary>
    /// <returns>A position that is reached when the engine has it.</returns>
    public async Task<string> ChangeAsync(string sql)
    {
        await Source.ExecuteAsync(sql, Ct);
        return (await Source.ScalarAsync<string>("SELECT pg_current_wal_insert_lsn()::text", Ct))!;
    }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => Api.GetAsync(path, Ct, headers);

    public Task<Answer> BalanceAsync(string code, string query = "") => GetAsync($"/cards/{Uri.EscapeDataString(code)}/balance{query}");

    public async ValueTask DisposeAsync()
    {
        if (Api is not null)
            await Api.DisposeAsync();
        await Bed.DisposeAsync();
    }
}
