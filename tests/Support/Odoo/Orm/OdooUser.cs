namespace Cdc.Tests.Support.Odoo.Orm;

/// <param name="Groups">Their ids.</param>
internal sealed record OdooUser(int Id, string? TimeZone, IReadOnlySet<int> Groups);
