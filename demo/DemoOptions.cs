using Cdc.Workload;

namespace Cdc.Demo;

/// <param name="Duration">Null: until Ctrl-C.</param>
/// <param name="Cards">Cards at the beginning, each with two moves and ten history rows.</param>
/// <param name="Rate">Transactions a second.</param>
/// <param name="Odoo">Whose tables and habits; the declaration is the preset made for it.</param>
/// <param name="Kafka">The change log is Kafka, not in-process.</param>
internal sealed record DemoOptions(TimeSpan? Duration, int Cards, double Rate, int Seed, bool Kafka, OdooVersion Odoo);
