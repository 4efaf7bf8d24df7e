namespace Cdc.Tests.Integration.Pipeline.Matrix;

/// <summary>
/// One change around the table of histories, as a person makes it on the source, and what must become of it. In SQL <c>{p}</c> is the
/// publication, <c>{r}</c> the role with which cdc reads, <c>{mapped}</c> the declared columns.
/// </summary>
/// <param name="Name">As in docs/reliability.md.</param>
/// <param name="Make">Each a command, or a block of them.</param>
/// <param name="Undo">After it the table can be followed.</param>
internal sealed record TableChange(string Name, string[] Make, string[] Undo)
{
    /// <summary>Words of the reason with which the table stops; null: it is followed.</summary>
    public string? Stops { get; init; }

    /// <summary>Kind of the gap that stops all of it.</summary>
    public string? Gap { get; init; }

    /// <summary>Finding with which a first start is refused.</summary>
    public string? Refused { get; init; }

    /// <summary>Once, before anything is followed.</summary>
    public string[] Before { get; init; } = [];

    /// <summary>cdc reads with a role that owns nothing.</summary>
    public bool AsReader { get; init; }

    /// <summary>Of the part that runs over Kafka too.</summary>
    public bool OverKafka { get; init; }

    /// <summary>
    /// What is left to undo when the remedy of its reason was obeyed, which is SQL and lets the table go on; null: it is for a person.
    /// </summary>
    public string[]? AfterRemedy { get; init; }

    /// <summary>
    /// It can be made again and again in one database, beside other changes. Not so where it replaces the table for good (foreign keys and
    /// other changes' indexes go with it), stops all of it, or needs a publication of its own.
    /// </summary>
    public bool IsMove { get; init; } = true;
}
