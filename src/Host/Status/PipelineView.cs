using Cdc.Core.Operations;
using Cdc.Host.Terminals;

namespace Cdc.Host.Status;

/// <summary>The pipeline in words: what it does, and where nothing reads the slot, why.</summary>
internal static class PipelineView
{
    /// <summary>Behind the state; empty where that says all.</summary>
    public static string Suffix(StatusReport report) =>
        (report.Running, report.Pipeline, report.State) switch
        {
            (not false, _, _) or (_, _, "paused") => "",
            (_, { } pipeline, _) => $" (nothing reads the slot: {Up(pipeline)})",
            (_, null, "streaming") => " (nothing reads the slot: start 'cdc run')",
            (_, null, "unknown") => " (nothing reads the slot; whether a 'cdc run' is up cannot be seen while the engine cannot be read)",
            _ => "",
        };

    /// <summary>Such as: a 'cdc run' is up, and tries again since 2026-01-31 12:00:00Z.</summary>
    public static string Up(PipelineStatus pipeline) =>
        (pipeline.Process is { } process ? $"a 'cdc {process}' is up" : "a process of cdc is up")
        + pipeline.State switch
        {
            "stopped" => ", and waits for a person",
            "standby" => ", as standby",
            "waiting" or "retrying" => ", and tries again",
            _ => "",
        }
        + (pipeline.Since is { } since ? $" since {Quantity.Time(since)}" : "");

    /// <summary>Null: it works, or why it does not is not known.</summary>
    public static string? Why(PipelineStatus? pipeline) =>
        pipeline is not { Reason: { } reason }
            ? null
            : $"{pipeline.State}{(pipeline.Since is { } since ? $" since {Quantity.Time(since)}" : "")}: {reason}"
                + (pipeline.Remedy is { } remedy ? $" -> {remedy}" : "");

    /// <summary>Until when Odoo's database is let go of; null: it is not.</summary>
    public static string? Paused(EngineStatus? engine) =>
        engine is { PausedUntil: { } until }
            ? $"Odoo's database is let go of until {Quantity.Time(until)} ('cdc pause --release' by {engine.PausedBy})"
            : null;
}
