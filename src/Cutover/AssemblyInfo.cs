using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cdc.Tests.Support")]
[assembly: InternalsVisibleTo("Cdc.Tests.Unit")]
[assembly: InternalsVisibleTo("Cdc.Tests.Integration")]
