using System.Text.Json.Nodes;

namespace Cdc.Odoo.Calls;

/// <summary>
/// The context of every call. Without it a change of points sends mails (whose PDF can make the write itself fail), writes messages to the
/// card's page, and reads times in the user's zone.
/// </summary>
public static class OdooContext
{
    /// <summary>No mail, no tracking; times are UTC.</summary>
    public static JsonObject Quiet(OdooOptions options)
    {
        var context = new JsonObject
        {
            ["lang"] = options.Language,
            ["tz"] = "UTC",
            ["tracking_disable"] = true,
            ["mail_create_nosubscribe"] = true,
            ["loyalty_no_mail"] = true,
            ["action_no_send_mail"] = true,
        };
        if (options.CompanyIds is { } companies)
            context["allowed_company_ids"] = new JsonArray([.. companies.Select(c => (JsonNode)c)]);
        return context;
    }

    /// <summary>
    /// Of <c>load</c>: creates what is not there, and never overwrites what is. Without the two it overwrites, though the stored row says
    /// noupdate.
    /// </summary>
    public static JsonObject CreateOnly(OdooOptions options)
    {
        var context = Quiet(options);
        context["mode"] = "update";
        context["noupdate"] = true;
        return context;
    }

    /// <summary>Texts that we look for by their name are stored in English; English is always there.</summary>
    public static JsonObject English(OdooOptions options) => Quiet(options with { Language = "en_US" });
}
