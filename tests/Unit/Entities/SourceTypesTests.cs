using Cdc.Core.Entities;
using Xunit;

namespace Cdc.Tests.Unit.Entities;

public sealed class SourceTypesTests
{
    [Theory]
    [InlineData(SourceType.Integer, 21, true)]
    [InlineData(SourceType.Integer, 20, true)]
    [InlineData(SourceType.Integer, 1700, false)]
    [InlineData(SourceType.Float, 700, true)]
    [InlineData(SourceType.Text, 1043, true)]
    [InlineData(SourceType.Text, 1042, false)]
    [InlineData(SourceType.Timestamp, 1184, false)]
    [InlineData(SourceType.Date, 1082, true)]
    [InlineData(SourceType.Uuid, 2950, true)]
    [InlineData(SourceType.Json, 3802, true)]
    [InlineData(SourceType.Bytes, 25, false)]
    [InlineData(SourceType.Json, 114, true)]
    [InlineData(SourceType.Jsonb, 3802, true)]
    [InlineData(SourceType.Jsonb, 114, false)]
    [InlineData(SourceType.Number, 701, true)]
    [InlineData(SourceType.Number, 700, true)]
    [InlineData(SourceType.Number, 1700, true)]
    [InlineData(SourceType.Number, 21, true)]
    [InlineData(SourceType.Number, 1043, false)]
    public void A_column_is_read_only_as_a_type_of_its_family(SourceType declared, uint oid, bool readable)
    {
        Assert.Equal(readable, SourceTypes.CanRead(declared, oid));
    }
}
