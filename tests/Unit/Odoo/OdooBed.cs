using Cdc.Odoo;
using Cdc.Odoo.Failures;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

/// <summary>A player, and a client that is connected to it.</summary>
internal sealed class OdooBed : IAsyncDisposable
{
    private OdooBed(OdooPlayer server, OdooClient client) => (Server, Client) = (server, client);

    public OdooPlayer Server { get; }

    public OdooClient Client { get; }

    public static OdooOptions Options { get; } =
        new()
        {
            Database = "odoo19",
            Login = "cdcbot",
            Key = "KEY-OF-40-HEX-DIGITS",
        };

    public static async Task<OdooBed> StartAsync(
        string version,
        CancellationToken ct,
        Func<OdooOptions, OdooOptions>? change = null,
        TimeProvider? time = null
    )
    {
        var server = await OdooPlayer.StartAsync(version, ct);
        try
        {
            var options = (change ?? (o => o))(Options with { Url = server.Address });
            return new(server, await OdooClient.ConnectAsync(options, time ?? new HurriedTime(), NullLogger.Instance, ct));
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }

    public static async Task<OdooException> FailureAsync(Func<Task> call) => await Assert.ThrowsAsync<OdooException>(call);
}
