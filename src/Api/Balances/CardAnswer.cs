using Cdc.Api.Engine;

namespace Cdc.Api.Balances;

/// <summary>What the engine said of one code, id or partner.</summary>
/// <param name="Cards">In order of ids.</param>
/// <param name="QuarantineReason">There is no card, but one in quarantine with that id.</param>
internal sealed record CardAnswer(EngineMoment Moment, IReadOnlyList<CardRow> Cards, string? QuarantineReason);
