namespace Cdc.Odoo.Failures;

/// <summary>PostgreSQL's errors by psycopg2's names of them, as they come through Odoo.</summary>
internal static class PostgresErrors
{
    private const string Concurrent = "could not serialize access";

    /// <summary>Nothing was done, and waiting helps. Odoo has tried the first three five times before it says so.</summary>
    private static readonly HashSet<string> Passing =
    [
        "SerializationFailure",
        "DeadlockDetected",
        "LockNotAvailable",
        "TransactionRollback",
        "TransactionRollbackError",
        "QueryCanceled",
        "QueryCanceledError",
        "TooManyConnections",
        "CannotConnectNow",
        "ReadOnlySqlTransaction",
        "DiskFull",
        "OutOfMemory",
        "InsufficientResources",
        "ConfigurationLimitExceeded",
        "ObjectInUse",
        "ObjectNotInPrerequisiteState",
    ];

    /// <summary>The connection of Odoo to its database broke: in its COMMIT, perhaps.</summary>
    private static readonly HashSet<string> Lost =
    [
        "OperationalError",
        "InterfaceError",
        "AdminShutdown",
        "CrashShutdown",
        "ConnectionException",
        "ConnectionFailure",
        "ConnectionDoesNotExist",
        "IdleInTransactionSessionTimeout",
    ];

    private static readonly HashSet<string> Schema =
    [
        "UndefinedColumn",
        "UndefinedTable",
        "UndefinedFunction",
        "UndefinedObject",
        "InvalidSchemaName",
        "DatatypeMismatch",
        "InsufficientPrivilege",
    ];

    private static readonly HashSet<string> OfData =
    [
        "UniqueViolation",
        "ForeignKeyViolation",
        "NotNullViolation",
        "CheckViolation",
        "ExclusionViolation",
        "RaiseException",
        "IntegrityError",
        "DataError",
        "NumericValueOutOfRange",
        "StringDataRightTruncation",
        "InvalidTextRepresentation",
        "InvalidDatetimeFormat",
        "DatetimeFieldOverflow",
        "CharacterNotInRepertoire",
        "UntranslatableCharacter",
        "ProgramLimitExceeded",
    ];

    public static bool Is(string name) => Passing.Contains(name) || Lost.Contains(name) || Schema.Contains(name) || OfData.Contains(name);

    /// <summary>Odoo hides this error of PostgreSQL in messages of <c>load</c>, where nothing but its text is left.</summary>
    public static bool IsConcurrency(string text) =>
        text.Contains(Concurrent, StringComparison.Ordinal) || text.Contains("deadlock detected", StringComparison.Ordinal);

    public static OdooFailure Of(string name, string text) =>
        name switch
        {
            "OperationalError" or "InvalidCatalogName" when NamesMissingDatabase(text) => new OdooFailure(
                "odoo-database",
                FailureClass.Systemic,
                $"has no such database: {text}.",
                Remedies.Address
            )
            {
                Kind = Core.Failures.FailureKind.Configuration,
            },
            _ when Passing.Contains(name) => new("odoo-busy", FailureClass.Transient, $"gave up for now: {text}.", Remedies.Wait),
            _ when Lost.Contains(name) => new OdooFailure(
                "odoo-database-lost",
                FailureClass.Transient,
                $"lost its database: {text}.",
                Remedies.Wait
            )
            {
                MayBeApplied = true,
            },
            _ when Schema.Contains(name) => new("odoo-schema", FailureClass.Systemic, $"lacks what is needed: {text}.", Remedies.Schema),
            _ => new("odoo-refused", FailureClass.Refused, $"refused it: {text}.", Remedies.Refused),
        };

    /// <summary>Of a connection that fails there is no SQLSTATE.</summary>
    private static bool NamesMissingDatabase(string text) =>
        text.Contains("database \"", StringComparison.Ordinal) && text.Contains("\" does not exist", StringComparison.Ordinal);
}
