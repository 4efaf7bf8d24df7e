using System.Text.Json;
using Cdc.Core.Postgres;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

public sealed class ServerEncodingTests
{
    private const string Text = "Müller ★ 𝄞";

    [Theory]
    [InlineData("UTF8", Text)]
    [InlineData("SQL_ASCII", Text)]
    [InlineData("LATIN1", @"Müller \u2605 \ud834\udd1e")]
    [InlineData("WIN1251", @"M\u00fcller \u2605 \ud834\udd1e")]
    public void What_a_server_may_lack_is_shown_by_its_number(string server, string shown) =>
        Assert.Equal(shown, ServerEncoding.Shown(Text, server));

    /// <summary>As .NET writes them: what is beyond the first plane is escaped already.</summary>
    [Theory]
    [InlineData("UTF8", @"{""a"":""★ \uD834\uDD1E \\u2605 \u0007 \n""}")]
    [InlineData("SQL_ASCII", @"{""a"":""★ \\uD834\\uDD1E \\u2605 \u0007 \n""}")]
    [InlineData("LATIN1", @"{""a"":""\\u2605 \\uD834\\uDD1E \\u2605 \u0007 \n""}")]
    public void Escapes_of_a_document_that_the_server_would_resolve_become_text(string server, string shown)
    {
        Assert.Equal(shown, ServerEncoding.ShownJson(@"{""a"":""★ \uD834\uDD1E \\u2605 \u0007 \n""}", server));
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(shown).RootElement.ValueKind);
    }

    [Theory]
    [InlineData("UTF8")]
    [InlineData("LATIN1")]
    [InlineData("EUC_JP")]
    public void A_document_stays_one(string server)
    {
        var shown = ServerEncoding.ShownJson($$"""{ "name": "{{Text}}" }""", server);
        Assert.Equal(ServerEncoding.Shown(Text, server), JsonDocument.Parse(shown).RootElement.GetProperty("name").GetString());
    }

    [Theory]
    [InlineData(Server.Source, "UTF8", null)]
    [InlineData(Server.Source, "SQL_ASCII", "source-encoding")]
    [InlineData(Server.Source, "LATIN1", "source-encoding")]
    [InlineData(Server.Engine, "UTF8", null)]
    [InlineData(Server.Engine, "SQL_ASCII", "engine-encoding")]
    [InlineData(Server.Engine, "EUC_JP", "engine-encoding")]
    public void Any_encoding_but_UTF8_is_named(Server server, string encoding, string? code)
    {
        var finding = ServerEncoding.FindingOf(server, encoding);
        Assert.Equal(code, finding?.Code);
        Assert.NotEqual(true, finding?.IsError);
    }
}
