using Npgsql.Replication;
using Npgsql.Replication.Internal;

namespace Cdc.Capture.Stream;

/// <summary>Names an existing slot to Npgsql, which needs an object for it.</summary>
internal sealed class PgOutputSlot(string name) : LogicalReplicationSlot(PluginName, new ReplicationSlotOptions(name))
{
    public const string PluginName = "pgoutput";
}
