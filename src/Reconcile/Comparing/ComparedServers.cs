using Cdc.Core.Entities;
using Cdc.Reconcile.Fences;
using Npgsql;

namespace Cdc.Reconcile.Comparing;

/// <summary>The two sides of comparisons.</summary>
/// <param name="Source">Of a role that may read the declared tables.</param>
/// <param name="Fences">Where the pairs of snapshots come from.</param>
/// <param name="Entities">The whole declaration: a row's parent may know what the row does not.</param>
public sealed record ComparedServers(NpgsqlDataSource Source, NpgsqlDataSource Engine, IFence Fences, EntitySet Entities);
