using System.Runtime.CompilerServices;

// The comparison reads the shape of the declaration's expressions and types; no other project needs it.
[assembly: InternalsVisibleTo("Cdc.Reconcile")]
// Records of a topic hold numbers and moments in their own forms: PostgreSQL's are read and written in one place.
[assembly: InternalsVisibleTo("Cdc.Log")]
[assembly: InternalsVisibleTo("Cdc.Tests.Support")]
[assembly: InternalsVisibleTo("Cdc.Tests.Unit")]
[assembly: InternalsVisibleTo("Cdc.Tests.Integration")]
