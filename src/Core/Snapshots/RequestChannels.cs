namespace Cdc.Core.Snapshots;

/// <summary>NOTIFY channel of what other processes ask for; the payload is the request's id.</summary>
public static class RequestChannels
{
    /// <summary>From the pipeline to the requester: it is done.</summary>
    public const string Answers = "cdc_request_answers";
}
