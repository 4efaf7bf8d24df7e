using Microsoft.AspNetCore.Builder;

namespace Cdc.Api.Security;

/// <summary>What a key may do.</summary>
public static class Scopes
{
    /// <summary>Balances and everything else that changes nothing.</summary>
    public const string Read = "read";

    /// <summary>Retry, discard, feature flags.</summary>
    public const string Operate = "operate";

    /// <summary>Ramping reads over to the engine.</summary>
    public const string Cutover = "cutover";

    public static IReadOnlyList<string> All { get; } = [Read, Operate, Cutover];
}

/// <summary>On an endpoint: a caller needs one of these scopes. Without it an endpoint is open without a key.</summary>
internal sealed record ScopesNeeded(IReadOnlyList<string> AnyOf);

/// <summary>
/// On an endpoint that says how the pipeline is, and nothing of customers: answered on this machine also while keys were never known.
/// </summary>
internal sealed record WatchesPipeline;

internal static class ScopesNeededExtensions
{
    public static T Watches<T>(this T endpoint)
        where T : IEndpointConventionBuilder => endpoint.Needs(Scopes.Read).WithMetadata(new WatchesPipeline());

    public static T Needs<T>(this T endpoint, params string[] anyOf)
        where T : IEndpointConventionBuilder => endpoint.WithMetadata(new ScopesNeeded(anyOf));
}
