namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>One call that came in.</summary>
/// <param name="Kind">
/// <c>MODEL/METHOD</c>, such as <c>ir.actions.server/run</c>; of JSON-RPC's other services <c>common/version</c>; else method and path.
/// </param>
/// <param name="Fault">What was done to it; null: nothing.</param>
public sealed record OdooCall(string Kind, string Body, string? Fault);
