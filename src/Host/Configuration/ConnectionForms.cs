using Cdc.Core.Postgres;

namespace Cdc.Host.Configuration;

/// <summary>Connection strings as they were configured, in the one form in which everything else reads them.</summary>
internal static class ConnectionForms
{
    /// <returns>Null: the text can be read. Else why not, without any of it.</returns>
    public static string? WhyNot(string text)
    {
        try
        {
            ConnectionText.ToNpgsql(text);
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    public static CdcOptions InNpgsqlForm(CdcOptions options) =>
        options with
        {
            Source = options.Source with { ConnectionString = Read(options.Source.ConnectionString) },
            Engine = options.Engine with { ConnectionString = Read(options.Engine.ConnectionString) },
            Api = options.Api with { ReplicaConnectionString = Read(options.Api.ReplicaConnectionString) },
        };

    /// <summary>A string that the command does not use was not checked, and stays as it is.</summary>
    private static string Read(string text) => text.Length > 0 && WhyNot(text) is null ? ConnectionText.ToNpgsql(text) : text;
}
