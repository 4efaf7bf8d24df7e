namespace Cdc.Core.Snapshots;

/// <summary>NOTIFY channel of cdc.requests; the payload is the request's id.</summary>
public static class RequestChannels
{
    /// <summary>From the pipeline to who asked: it is done.</summary>
    public const string Answers = "cdc_request_answers";
}
