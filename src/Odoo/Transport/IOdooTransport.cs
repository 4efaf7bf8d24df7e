using System.Text.Json;
using Cdc.Odoo.Calls;

namespace Cdc.Odoo.Transport;

/// <summary>
/// A way to put calls to one Odoo. A call is one transaction there: done as a whole or not at all, and when an answer comes, decided. Calls
/// of one transport may be made at the same time, and then have no order. A call that may be repeated may arrive more than once.
/// </summary>
internal interface IOdooTransport
{
    /// <summary>The method's result; null where it returns none (JSON-RPC leaves <c>result</c> out then).</summary>
    /// <exception cref="Failures.OdooException">It failed, or nobody knows.</exception>
    Task<JsonElement?> CallAsync(OdooCall call, CancellationToken ct);

    /// <summary>Whose calls these are: an id of res.users.</summary>
    Task<long> UserAsync(CancellationToken ct);
}
