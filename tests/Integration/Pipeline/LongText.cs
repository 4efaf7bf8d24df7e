using Cdc.Core.Postgres;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>Texts so long, and so little alike, that PostgreSQL keeps them outside of the row and leaves them out of an UPDATE that does not touch them.</summary>
internal static class LongText
{
    /// <summary>An SQL expression of a text of this many bytes or a few more.</summary>
    /// <param name="seed">Another one gives another text.</param>
    public static string Sql(char seed, int bytes = 1 << 20) =>
        $"(SELECT string_agg(encode(sha512(('{seed}' || n)::bytea), 'hex'), '') FROM generate_series(1, {(bytes + 127) / 128}) n)";
}
