using Cdc.Core.Entities;
using Cdc.Engine.Migrations;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Pipeline;

namespace Cdc.Tests.Integration.Pipeline.Histories;

/// <summary>Tables whose keys are a text, a uuid, and a bigint with both; all have columns <c>version</c> and <c>note</c>.</summary>
internal static class HashedTables
{
    public const string Setup = """
        CREATE TABLE voucher (code text PRIMARY KEY, version int8, note text);
        CREATE TABLE token (uid uuid PRIMARY KEY, version int8, note text);
        CREATE TABLE route (number int8, name varchar, version int8, uid uuid, note text, PRIMARY KEY (uid, number, name));
        """;

    /// <summary>What separates and escapes, what collations take for equal, blanks, and what is nothing.</summary>
    private const string Names =
        """ARRAY['', ' ', 'a', 'A', 'a ', 'ä', E'a\u0308', ',', '\', '\,', ',,', 'a,b', 'a\', E'\n', '1', repeat('xyz', 890)]""";

    public const string Fill = $"""
        INSERT INTO voucher SELECT n, 1, 'note' FROM unnest({Names}) n UNION ALL SELECT 'code-' || i, i, NULL FROM generate_series(1, 40) i;
        INSERT INTO token SELECT md5(i::text)::uuid, i, 'note ' || i FROM generate_series(1, 50) i;
        INSERT INTO route SELECT i, n, 1, md5(i::text)::uuid, 'note' FROM unnest(ARRAY[-9223372036854775808, -1, 0, 1, 9223372036854775807]) i, unnest({Names}) n;
        """;

    public static string Path => SourceTree.PathOf("tests/Integration/Pipeline/Histories/hashed.json");

    public static EntitySet Entities => EntityFile.Load(Path);

    /// <summary>Follows them beside the delivered tables and that of two columns, in this process and as a real one.</summary>
    public static async Task DeclareAsync(PipelineBed bed, CancellationToken ct)
    {
        (bed.Entities, bed.Declaration) = (Entities, Path);
        await Tills.CreateEngineTableAsync(bed, ct);
        await CreateEngineTablesAsync(bed, ct);
    }

    public static async Task CreateEngineTablesAsync(PipelineBed bed, CancellationToken ct)
    {
        foreach (var entity in bed.Entities.All.Where(e => e.HashedKey is not null))
            await bed.Engine.ExecuteAsync(DeclaredTable.Plan(entity), ct);
    }
}
