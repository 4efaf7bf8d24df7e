using Cdc.Core.Failures;
using Cdc.Log.Registry;

namespace Cdc.Tests.Support.Records;

/// <summary>A schema registry without a server.</summary>
public sealed class SchemasInMemory : ISchemaClient
{
    private readonly List<string> _schemas = [];

    /// <summary>It cannot be asked.</summary>
    public bool IsDown { get; set; }

    /// <summary>Times it was asked.</summary>
    public int Asked { get; private set; }

    public ValueTask<int> RegisterAsync(string subject, string schema, CancellationToken ct)
    {
        Ask();
        if (!_schemas.Contains(schema))
            _schemas.Add(schema);
        return ValueTask.FromResult(_schemas.IndexOf(schema) + 1);
    }

    public ValueTask<string?> FindAsync(int id, CancellationToken ct)
    {
        Ask();
        return ValueTask.FromResult(id > 0 && id <= _schemas.Count ? _schemas[id - 1] : null);
    }

    private void Ask()
    {
        Asked++;
        if (IsDown)
            throw new CdcException(FailureKind.Unavailable, "The registry is down.", "Start it.");
    }
}
