using Cdc.Tests.Support.Odoo.Python;
using Xunit;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>What came back, and what of it is the result or the error, by either protocol.</summary>
internal sealed record OdooReply(int Status, string Text)
{
    private PyDict? Rpc => Parsed is PyDict dict && dict.ContainsKey("jsonrpc") ? dict : null;

    private object? Parsed => PyJson.Parse(Text);

    public bool IsError => Rpc is { } rpc ? rpc.ContainsKey("error") : Status >= 400;

    /// <summary>Fails the test where there is an error.</summary>
    public object? Result
    {
        get
        {
            Assert.False(IsError, Text);
            return Rpc is { } rpc ? rpc.GetValueOrDefault("result") : Parsed;
        }
    }

    /// <summary>Name and message.</summary>
    public (string Name, string Message) Error
    {
        get
        {
            Assert.True(IsError, Text);
            var error = Rpc is { } rpc ? (PyDict)((PyDict)rpc["error"]!)["data"]! : (PyDict)Parsed!;
            return ((string)error["name"]!, (string)error["message"]!);
        }
    }

    /// <summary>Odoo gave up after its five tries; the same call is to be sent again.</summary>
    public bool IsToBeRepeated => IsError && Error.Name == "psycopg2.errors.SerializationFailure";
}
