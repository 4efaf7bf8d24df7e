using Cdc.Core.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

/// <summary>The three forms of a connection string lead to the same server with the same settings.</summary>
public sealed class ConnectionTextTests
{
    [Theory]
    [InlineData("Host=h;Port=6432;Database=d;Username=u;Password=p")]
    [InlineData("host=h;port=6432;database=d;user id=u;password=p")]
    [InlineData("postgresql://u:p@h:6432/d")]
    [InlineData("postgres://u:p@h:6432/d")]
    [InlineData("  postgresql://h:6432/d?user=u&password=p ")]
    [InlineData("host=h port=6432 dbname=d user=u password=p")]
    [InlineData("password = 'p' user='u'   dbname=d host=h port = 6432 ")]
    [InlineData("user=u password=p host=h port=6432 dbname=d")]
    public void The_three_forms_are_the_same(string text)
    {
        var settings = Read(text);
        Assert.Equal(("h", 6432, "d", "u", "p"), (settings.Host, settings.Port, settings.Database, settings.Username, settings.Password));
    }

    [Theory]
    [InlineData("postgresql://h", "h", 5432, null)]
    [InlineData("postgresql://h/", "h", 5432, null)]
    [InlineData("postgresql://u@h/d", "h", 5432, "d")]
    [InlineData("postgresql://[2001:db8::1]/d", "2001:db8::1", 5432, "d")]
    [InlineData("postgresql://[2001:db8::1]:6432/d", "2001:db8::1", 6432, "d")]
    [InlineData("postgresql://%2Fvar%2Frun%2Fpostgresql/d", "/var/run/postgresql", 5432, "d")]
    [InlineData("postgresql:///d?host=/tmp/a%20folder&port=6432", "/tmp/a folder", 6432, "d")]
    [InlineData("postgresql://h/a%2Fb%3Fc", "h", 5432, "a/b?c")]
    [InlineData("host=/var/run/postgresql dbname=d", "/var/run/postgresql", 5432, "d")]
    [InlineData("hostaddr=10.0.0.1 dbname=d", "10.0.0.1", 5432, "d")]
    public void Hosts_may_be_addresses_and_folders(string text, string host, int port, string? database)
    {
        var settings = Read(text);
        Assert.Equal((host, port, database), (settings.Host, settings.Port, settings.Database));
    }

    [Theory]
    [InlineData("postgresql://u@a:1,b:2/d", "a:1,b:2")]
    [InlineData("postgresql://u@a,b:2/d", "a,b:2")]
    [InlineData("postgresql://u@[::1]:1,b:2/d?target_session_attrs=read-write", "[::1]:1,b:2")]
    [InlineData("host=a,b port=1,2", "a:1,b:2")]
    [InlineData("host=a,b port=6432", "a:6432,b:6432")]
    [InlineData("host=a,/tmp,::1 port=1,2,3", "a:1,/tmp:2,[::1]:3")]
    public void Several_hosts_keep_each_its_port(string text, string hosts) => Assert.Equal(hosts, Read(text).Host);

    [Theory]
    // As libpq's manual has them.
    [InlineData(@"host=h password='it''s'", null)]
    [InlineData(@"host=h password='it\'s \\ a = b; c'", @"it's \ a = b; c")]
    [InlineData(@"host=h password=a\ b\'c user=u", "a b'c")]
    [InlineData("host=h password=a;b user=u", "a;b")]
    [InlineData("host=h password=a;port=3 user=u", "a;port=3")]
    [InlineData("host=h password='' user=u", null)]
    [InlineData("postgresql://u:a%3Bb%40c%3Ad%25@h/d", "a;b@c:d%")]
    [InlineData("postgresql://u:a=b;c+d@h/d", "a=b;c+d")]
    [InlineData("postgresql://u:p@h/d?password=the%20last%20one", "the last one")]
    [InlineData("Host=h;Password='a;b=c'", "a;b=c")]
    [InlineData("Host=h;Password=a b=c", "a b=c")]
    [InlineData("host=h; port=5432;password=a b", "a b")]
    public void Passwords_arrive_as_they_are_written(string text, string? password)
    {
        if (text.Contains("''s", StringComparison.Ordinal))
            // A quote is written with a backslash; doubled it ends the value.
            Assert.Throws<FormatException>(() => ConnectionText.ToNpgsql(text));
        else
            Assert.Equal(password, Read(text).Password);
    }

    [Fact]
    public void Settings_of_libpq_have_the_same_meaning()
    {
        var settings = Read(
            "host=h sslmode=verify-full sslrootcert=/ca.pem sslcert=/c.pem sslkey=/k.pem connect_timeout=7 application_name='my cdc' "
                + "options='-c geqo=off' target_session_attrs=read-write keepalives_idle=11 keepalives_interval=3 client_encoding=latin1 "
                + "load_balance_hosts=disable channel_binding=require passfile=/p sslnegotiation=direct"
        );
        Assert.Equal(
            (SslMode.VerifyFull, "/ca.pem", "/c.pem", "/k.pem"),
            (settings.SslMode, settings.RootCertificate, settings.SslCertificate, settings.SslKey)
        );
        Assert.Equal((7, "my cdc", "-c geqo=off"), (settings.Timeout, settings.ApplicationName, settings.Options));
        Assert.Equal(
            ("read-write", 11, 3, false),
            (settings.TargetSessionAttributes, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval, settings.LoadBalanceHosts)
        );
        Assert.Equal((ChannelBinding.Require, "/p"), (settings.ChannelBinding, settings.Passfile));
        Assert.Equal(0, Read("host=h connect_timeout=-1").Timeout);
        Assert.True(Read("host=h keepalives=1").TcpKeepAlive);
    }

    [Theory]
    [InlineData("sslmode=disable", SslMode.Disable)]
    [InlineData("sslmode=prefer", SslMode.Prefer)]
    [InlineData("sslmode=require", SslMode.Require)]
    [InlineData("sslmode=verify-ca", SslMode.VerifyCA)]
    // libpq checks the certificate where it has a root to check it with.
    [InlineData("sslmode=require&sslrootcert=/ca.pem", SslMode.VerifyCA)]
    [InlineData("sslrootcert=system", SslMode.VerifyFull)]
    [InlineData("ssl=true", SslMode.Require)]
    public void A_server_is_trusted_as_psql_trusts_it(string parameters, SslMode mode) =>
        Assert.Equal(mode, Read("postgresql://h/d?" + parameters).SslMode);

    [Theory]
    [InlineData("host=h sslcrl=/crl.pem user=u", "sslcrl")]
    [InlineData("service=odoo user=u", "service")]
    [InlineData("postgresql://h/d?ssl_min_protocol_version=TLSv1.3", "ssl_min_protocol_version")]
    [InlineData("postgresql://h/d?nonsense=1", "nonsense")]
    [InlineData("host=h hostaddr=10.0.0.1", "hostaddr")]
    [InlineData("host=a,b,c port=1,2", "ports")]
    [InlineData("host=h port=http", "port")]
    [InlineData("postgresql://h:99999/d", "port")]
    [InlineData("postgresql://u:p%zz@h/d", "%25")]
    [InlineData("postgresql://[::1/d", "IPv6")]
    [InlineData("postgresql:///d", "no host")]
    [InlineData("dbname=d user=u", "no host")]
    [InlineData("Database=d;Username=u", "no host")]
    [InlineData("host=h sslmode=sometimes user=u", "sslmode")]
    [InlineData("host=h connect_timeout=soon user=u", "connect_timeout")]
    [InlineData("postgresql://h/d?sslmode=require&sslrootcert=system", "verify-full")]
    [InlineData("h:5432/d", "no connection string")]
    [InlineData("Host=h;Port=70000", "port")]
    [InlineData("Host=h;Port=0", "no connection string")]
    public void What_cannot_be_meant_is_refused_by_its_name(string text, string named) =>
        Assert.Contains(named, Assert.Throws<FormatException>(() => ConnectionText.ToNpgsql(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("postgresql://u:sec%ret@h/d")]
    [InlineData("host=h sslmode=secret")]
    [InlineData("host=h password='secret")]
    [InlineData("postgresql://u:p@h:secret/d")]
    [InlineData("Host=h;secret")]
    [InlineData("secret")]
    public void A_refusal_has_no_value_in_it(string text) =>
        Assert.DoesNotContain("sec", Assert.Throws<FormatException>(() => ConnectionText.ToNpgsql(text)).Message, StringComparison.Ordinal);

    private static NpgsqlConnectionStringBuilder Read(string text) => new(ConnectionText.ToNpgsql(text));
}
