namespace Cdc.Core.Fences;

/// <summary>NOTIFY channels of the fences; the payload is a fence's id.</summary>
public static class FenceChannels
{
    /// <summary>From the requester to the pipeline: announced, read, open, given up.</summary>
    public const string Asks = "cdc_fence_asks";

    /// <summary>From the pipeline to the requester: armed, reached, broken.</summary>
    public const string Answers = "cdc_fence_answers";
}
