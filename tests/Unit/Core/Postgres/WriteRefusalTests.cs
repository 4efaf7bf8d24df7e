using Cdc.Core.Postgres;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

/// <summary>Remedies are obeyed word for word, so that none may do harm.</summary>
public sealed class WriteRefusalTests
{
    [Theory]
    [InlineData(Server.Source)]
    [InlineData(Server.Engine)]
    public void A_standby_is_to_be_promoted_only_when_the_old_primary_cannot_come_back(Server server)
    {
        var remedy = WriteRefusal.Standby(server).Remedy;
        Assert.StartsWith("Name the primary", remedy, StringComparison.Ordinal);
        Assert.Contains("cannot come back", remedy[..remedy.IndexOf("pg_promote", StringComparison.Ordinal)], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("configuration file", "ALTER SYSTEM RESET", true)]
    [InlineData("command line", "the server's command line, and restart", false)]
    [InlineData("environment variable", "the server's environment variable, and restart", false)]
    [InlineData("client", "out of Engine:ConnectionString", false)]
    [InlineData("database", "BEGIN READ WRITE; ALTER DATABASE shop RESET", false)]
    [InlineData("user", "BEGIN READ WRITE; ALTER ROLE cdc RESET", false)]
    [InlineData("database user", "BEGIN READ WRITE; ALTER ROLE cdc IN DATABASE shop RESET", false)]
    [InlineData("global", "BEGIN READ WRITE; ALTER ROLE ALL RESET", false)]
    public void The_disk_is_spoken_of_where_it_may_be_that(string source, string remedy, bool disk)
    {
        var finding = WriteRefusal.ReadOnly(Server.Engine, source, "shop", "cdc");
        Assert.Contains(remedy, finding.Remedy, StringComparison.Ordinal);
        Assert.Equal(disk, finding.Remedy.Contains("disk", StringComparison.Ordinal));
    }
}
