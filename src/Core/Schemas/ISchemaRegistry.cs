using System.Security.Cryptography;
using System.Text;
using Cdc.Core.Failures;

namespace Cdc.Core.Schemas;

/// <param name="Id">One for each different text, wherever it is registered; above 0 and never given to another.</param>
/// <param name="Version">From 1, in the subject.</param>
public sealed record RegisteredSchema(string Subject, int Version, int Id, string Schema)
{
    /// <summary>Of the text, as the id is: its 128 bits are given to no other.</summary>
    public Guid Guid => GuidOf(Schema);

    public static Guid GuidOf(string schema) => new(SHA256.HashData(Encoding.UTF8.GetBytes(schema)).AsSpan(0, 16), bigEndian: true);
}

/// <summary>
/// The built-in schema registry. Subjects only grow: topics may hold records of every schema that was ever registered, so nothing is
/// deleted. Every method may throw <see cref="CdcException"/> (Unavailable, Migration, Preflight: the engine, which keeps it, cannot be
/// asked), and
/// <see cref="SchemaRegistryException"/> for what it is asked wrongly.
/// </summary>
public interface ISchemaRegistry
{
    /// <summary>In order of their names.</summary>
    Task<IReadOnlyList<string>> SubjectsAsync(CancellationToken ct);

    /// <summary>All versions of the subjects whose names begin so, by name and version.</summary>
    Task<IReadOnlyList<RegisteredSchema>> AllAsync(string subjectPrefix, CancellationToken ct);

    /// <summary>Oldest first; at least one.</summary>
    Task<IReadOnlyList<RegisteredSchema>> VersionsAsync(string subject, CancellationToken ct);

    /// <summary>Null if there is no schema with this id.</summary>
    Task<string?> FindAsync(int id, CancellationToken ct);

    /// <summary>Null if there is no schema with this <see cref="RegisteredSchema.Guid"/>.</summary>
    Task<string?> FindAsync(Guid guid, CancellationToken ct);

    /// <summary>The highest id that was ever given; 0: none was.</summary>
    Task<int> HighestIdAsync(CancellationToken ct);

    /// <summary>Where the id is registered.</summary>
    Task<IReadOnlyList<RegisteredSchema>> UsesAsync(int id, CancellationToken ct);

    /// <summary>
    /// The subject's version with this schema, which becomes its newest one if it is not registered yet. Safe at any concurrency.
    /// </summary>
    /// <param name="asWritten">
    /// Compare texts: an equivalent text (its JSON properties in another order) is another schema. So a writer of
    /// records gets the id that is in them, even from a new registry where another client registered the schema first.
    /// Otherwise equivalent texts are one schema, with one id in all subjects.
    /// </param>
    Task<RegisteredSchema> RegisterAsync(string subject, string schema, bool asWritten, CancellationToken ct);

    /// <summary>The subject's version with this schema, whatever the order of its JSON properties; null if it has none.</summary>
    Task<RegisteredSchema?> LookupAsync(string subject, string schema, CancellationToken ct);

    /// <summary>
    /// Why the schema does not get along with one version of the subject, by the subject's level; empty: it does, as with an unknown
    /// subject.
    /// </summary>
    /// <param name="version">Null: with all that the level names, as for registering it.</param>
    Task<IReadOnlyList<string>> ProblemsAsync(string subject, string schema, int? version, CancellationToken ct);

    /// <param name="subject">Null: of subjects without their own level.</param>
    /// <returns>Null: the subject has no own level.</returns>
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
        SubjectModeNotFound = 40409,
        AssociationNotFound = 40410,
        Incompatible = 409,
        InvalidSchema = 42201,
        InvalidVersion = 42202,
        InvalidLevel = 42203,
        StoreFailed = 50001;

    public int ErrorCode { get; } = errorCode;

    public static SchemaRegistryException NoSubject(string subject) => new(SubjectNotFound, $"Subject '{subject}' not found.");

    public static SchemaRegistryException NoVersion(string version) => new(VersionNotFound, $"Version {version} not found.");
}
