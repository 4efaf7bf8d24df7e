namespace Cdc.Api.Metrics;

/// <summary>On an endpoint: its answer lasts as long as somebody listens, which is no duration to measure.</summary>
internal sealed record Endless;
