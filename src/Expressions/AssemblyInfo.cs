using System.Runtime.CompilerServices;

// The comparison reads the shape of the declaration's expressions and types.
[assembly: InternalsVisibleTo("Cdc.Reconcile")]
[assembly: InternalsVisibleTo("Cdc.Tests.Support")]
[assembly: InternalsVisibleTo("Cdc.Tests.Unit")]
[assembly: InternalsVisibleTo("Cdc.Tests.Integration")]
