using Cdc.Core.Failures;
using Cdc.Core.Schemas;

namespace Cdc.Log.Registry;

/// <summary>The built-in registry, without a way over HTTP.</summary>
internal sealed class TableSchemaClient(ISchemaRegistry registry) : ISchemaClient
{
    public async ValueTask<int> RegisterAsync(string subject, string schema, CancellationToken ct)
    {
        try
        {
            return (await registry.RegisterAsync(subject, schema, asWritten: true, ct)).Id;
        }
        catch (SchemaRegistryException e)
        {
            throw SchemaRefusal.Of(subject, e.Message, e);
        }
    }

    public async ValueTask<string?> FindAsync(int id, CancellationToken ct) => await registry.FindAsync(id, ct);
}

/// <summary>A registry does not take a schema.</summary>
internal static class SchemaRefusal
{
    public static CdcException Of(string subject, string why, Exception? inner = null) =>
        new(
            FailureKind.Preflight,
            $"The schema registry refuses the schema of {subject}: {why}",
            "Undo the change of the source's table or of the declaration. Or, if every reader of the topic is ready for it: "
                + "set the subject's compatibility to NONE (PUT /config/SUBJECT), start, and set it back.",
            inner
        );
}
