using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cdc.Tests.Unit")]
[assembly: InternalsVisibleTo("Cdc.Tests.Integration")]
// The bare Api that this one is measured against has the same query.
[assembly: InternalsVisibleTo("cdc-bench")]
