namespace Cdc.Reconcile.Alerts;

/// <summary>Names of the alerts, as in cdc.alerts. They are never renamed.</summary>
public static class AlertName
{
    /// <summary>Anything differs.</summary>
    public const string Warning = "warning";

    /// <summary>So much differs that readers of the engine should go back to Odoo.</summary>
    public const string Alert = "alert";

    /// <summary>So much that it is repaired, and compared again.</summary>
    public const string Remediation = "remediation";

    /// <summary>So much that the operator on call must be woken.</summary>
    public const string Page = "page";

    /// <summary>From the mildest.</summary>
    public static readonly IReadOnlyList<string> All = [Warning, Alert, Remediation, Page];
}
