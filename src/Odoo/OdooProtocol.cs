namespace Cdc.Odoo;

/// <summary>How calls are put. Odoo answers the same questions with both; one call is one transaction there.</summary>
public enum OdooProtocol
{
    /// <summary>By the server's version.</summary>
    Auto,

    /// <summary><c>/jsonrpc</c>: Odoo 16 to 21, with a login and its API key or password.</summary>
    JsonRpc,

    /// <summary><c>/json/2/MODEL/METHOD</c>: Odoo 19 and later, with an API key.</summary>
    Json2,
}
