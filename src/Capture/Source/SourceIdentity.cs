using Cdc.Core.Changes;

namespace Cdc.Capture.Source;

/// <summary>What progress is bound to. A copy of the data folder keeps all of it; pg_upgrade changes the system identifier.</summary>
/// <param name="SystemIdentifier">Given to the cluster by initdb.</param>
/// <param name="Timeline">Rises when a standby is promoted or a backup is restored.</param>
/// <param name="DatabaseOid">Another one under the same name: the database was made anew, or another was renamed. The same under another
/// name: it was renamed.</param>
/// <param name="DatabaseUuid">Odoo's database.uuid, which Odoo gives a copy anew; null: cdc may not read it, or it is no Odoo.</param>
public sealed record SourceIdentity(
    string SystemIdentifier,
    int Timeline,
    string DatabaseName,
    long? DatabaseOid = null,
    string? DatabaseUuid = null
);

/// <param name="FlushLsn">End of what the server has flushed: nothing beyond it can have been streamed.</param>
public sealed record IdentifiedSource(SourceIdentity Identity, Lsn FlushLsn);
