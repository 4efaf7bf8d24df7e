using Xunit;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>One after the other: on a real Odoo they make and remove the same fields.</summary>
[CollectionDefinition(nameof(OdooWorld))]
public sealed class OdooWorldCollection;
