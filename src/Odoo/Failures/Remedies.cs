namespace Cdc.Odoo.Failures;

/// <summary>What to do next. Each is harmless where its guess is wrong.</summary>
internal static class Remedies
{
    public const string Wait =
        "Nothing is lost: the same call is made again. If it stays like this, look at Odoo's log and at the proxy before it.";

    public const string Address =
        "Set Odoo:Url to the address at which Odoo's sign-in page opens (https where there is a redirect), and Odoo:Database to a database "
        + "that this Odoo serves at that host name.";

    public const string Key =
        "Make a new API key in Odoo, signed in as the user of these calls (Preferences, Account Security), and put it "
        + "into Odoo:Key or the file of Odoo:KeyFile. Over JSON-RPC Odoo:Login must be that user's login. From Odoo 18 on"
        + " a key has an end.";

    public const string Access =
        "Give the user of Odoo:Key the right that the message names, and no more: to write by 'sequence' the group "
        + "\"CDC engine\" is enough. Companies of Odoo:Companies must be among the user's allowed ones.";

    public const string Schema =
        "Finish the installation or update of Odoo's modules if one is under way. Else a module or a field that is "
        + "needed here was removed: put it back.";

    public const string Sequence =
        "Install the way 'sequence' again with an administrator's key: it makes what is missing, sets right what was "
        + "changed, and touches nothing else.";

    public const string Call =
        "This version of Odoo does not know the call in this form. Compare its version with those that "
        + "docs/writing-back.md names, and report it.";

    public const string Refused = "Correct in Odoo, or in the engine, what the message names; then send it again, or give it up.";

    public const string TooLarge =
        "Send fewer changes in one call, or let the proxy before Odoo take larger requests (client_max_body_size in nginx).";
}
