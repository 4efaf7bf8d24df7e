using Cdc.Core.Failures;

namespace Cdc.Core.Schemas;

/// <param name="Id">One for each different text, wherever it is registered; above 0 and never given to another.</param>
/// <param name="Version">From 1, in the subject.</param>
public sealed record RegisteredSchema(string Subject, int Version, int Id, string Schema);

/// <summary>
/// The built-in schema registry. Subjects only grow: topics may hold records of every schema that was ever registered, so nothing is deleted.
/// Every method may throw <see cref="CdcException"/> (Unavailable, Migration, Preflight: the engine, which keeps it, cannot be asked), and
/// <see cref="SchemaRegistryException"/> for what it is asked wrongly.
/// </summary>
public interface ISchemaRegistry
{
    /// <summary>In order of their names.</summary>
    Task<IReadOnlyList<string>> SubjectsAsync(CancellationToken ct);

    /// <summary>Oldest first; at least one.</summary>
    Task<IReadOnlyList<RegisteredSchema>> VersionsAsync(string subject, CancellationToken ct);

    /// <summary>Null if there is no schema with this id.</summary>
    Task<string?> FindAsync(int id, CancellationToken ct);

    /// <summary>Where the id is registered.</summary>
    Task<IReadOnlyList<RegisteredSchema>> UsesAsync(int id, CancellationToken ct);

    /// <summary>The subject's version with this schema, which becomes its newest one if it is not registered yet. Safe at any concurrency.</summary>
    Task<RegisteredSchema> RegisterAsync(string subject, string schema, CancellationToken ct);

    /// <summary>The subject's version with this schema; null if it has none.</summary>
    Task<RegisteredSchema?> LookupAsync(string subject, string schema, CancellationToken ct);

    /// <summary>Why the schema does not get along with one version of the subject, by the subject's level; empty: it does.</summary>
    /// <param name="version">Null: with all that the level names, as for registering it.</param>
    Task<IReadOnlyList<string>> ProblemsAsync(string subject, string schema, int? version, CancellationToken ct);

    /// <param name="subject">Null: of subjects without a level of their own.</param>
    /// <returns>Null: the subject has no level of its own.</returns>
    Task<CompatibilityLevel?> CompatibilityAsync(string? subject, CancellationToken ct);

    /// <inheritdoc cref="CompatibilityAsync"/>
    Task SetCompatibilityAsync(string? subject, CompatibilityLevel level, CancellationToken ct);
}

/// <summary>Asked wrongly: the number is Confluent's, its first three digits are HTTP's status.</summary>
public sealed class SchemaRegistryException(int errorCode, string message) : Exception(message)
{
    public const int SubjectNotFound = 40401,
        VersionNotFound = 40402,
        SchemaNotFound = 40403,
        SubjectLevelNotFound = 40408,
        Incompatible = 409,
        InvalidSchema = 42201,
        InvalidVersion = 42202,
        InvalidLevel = 42203,
        StoreFailed = 50001;

    public int ErrorCode { get; } = errorCode;

    public static SchemaRegistryException NoSubject(string subject) => new(SubjectNotFound, $"Subject '{subject}' not found.");

    public static SchemaRegistryException NoVersion(string version) => new(VersionNotFound, $"Version {version} not found.");
}
