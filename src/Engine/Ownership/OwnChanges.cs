namespace Cdc.Engine.Ownership;

/// <summary>How those who send own changes hear of them.</summary>
public static class OwnChanges
{
    /// <summary>NOTIFY, once a transaction, without a payload.</summary>
    public const string Channel = "cdc_own_changes";
}
