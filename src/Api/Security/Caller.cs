using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Security;

/// <summary>The key of a request. Set for every request that was accepted.</summary>
/// <param name="Key">Null: on this machine, while no key was ever made.</param>
internal sealed record Caller(ApiKey? Key)
{
    public static readonly Caller Local = new((ApiKey?)null);

    /// <summary>As it is recorded with changes.</summary>
    public string Name => Key is { } key ? $"{key.Name} ({key.Id})" : "local";

    public bool Has(IReadOnlyList<string> anyOf) => Key is null || anyOf.Any(Key.Scopes.Contains);

    public static Caller Of(HttpContext http) => (Caller)http.Items[typeof(Caller)]!;

    public void Enter(HttpContext http) => http.Items[typeof(Caller)] = this;
}
