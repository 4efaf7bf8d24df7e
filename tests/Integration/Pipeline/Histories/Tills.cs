using Cdc.Core.Entities;
using Cdc.Engine.Migrations;
using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Pipeline;

namespace Cdc.Tests.Integration.Pipeline.Histories;

/// <summary>A table as Odoo's many-to-many ones, whose key is both of its columns; two more are there for histories.</summary>
internal static class Tills
{
    public const string Setup = """
        CREATE TABLE loyalty_program_pos_config_rel (loyalty_program_id int4 NOT NULL, pos_config_id int4 NOT NULL, version int4, note text,
            PRIMARY KEY (loyalty_program_id, pos_config_id));
        """;

    public static string Path => SourceTree.PathOf("tests/Integration/Pipeline/Histories/tills.json");

    public static EntitySet Entities => EntityFile.Load(Path);

    /// <summary>Follows it beside the delivered tables, in this process and as a real one.</summary>
    public static async Task DeclareAsync(PipelineBed bed, CancellationToken ct)
    {
        (bed.Entities, bed.Declaration) = (Entities, Path);
        await CreateEngineTableAsync(bed, ct);
    }

    public static Task CreateEngineTableAsync(PipelineBed bed, CancellationToken ct) =>
        bed.Engine.ExecuteAsync(DeclaredTable.Plan(bed.Entities.Find("till")!), ct);
}
