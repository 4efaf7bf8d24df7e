using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Api.Metrics;
using Cdc.Api.Odoo;
using Cdc.Core.Changes;
using Cdc.Cutover.Shadow;
using Microsoft.Extensions.Logging;

namespace Cdc.Api.Routes;

/// <summary>
/// Of a share of the cards that are read while a cutover runs, both sides' answers are compared, behind the request and at a position that the
/// engine has reached. What does not fit is left out: no reader waits for it.
/// </summary>
internal sealed class ShadowReads
{
    private const int MostWaiting = 1_000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly Channel<(string Scope, int Card)> _waiting = Channel.CreateBounded<(string, int)>(
        new BoundedChannelOptions(MostWaiting) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private readonly Dictionary<(string Scope, ShadowVerdict Verdict), (long Reads, long Card)> _found = [];
    private readonly CardFinder _finder;
    private readonly OdooCards _odoo;
    private readonly EngineReads _engine;
    private readonly ApiOptions _options;
    private readonly Counter<long> _compared;
    private readonly ILogger _log;
    private double _due;
    private bool _notKept;

    public ShadowReads(CardFinder finder, OdooCards odoo, EngineReads engine, ApiOptions options, ApiMeter meter, ILogger log)
    {
        (_finder, _odoo, _engine, _options, _log) = (finder, odoo, engine, options, log);
        _compared = Instrument(meter);
    }

    public static Counter<long> Instrument(ApiMeter meter) =>
        meter.Meter.CreateCounter<long>("cdc.cutover.compared", "{read}", "Reads of a card of which both sides' answers were compared.");

    /// <summary>One of so many is compared, evenly.</summary>
    public void Offer(string? scope, int card)
    {
        if (scope is null || !_odoo.IsPossible)
            return;
        // Two at once may both be taken, or neither: a sample.
        _due += (double)_options.ShadowPercent / 100;
        if (_due < 1)
            return;
        _due -= 1;
        _waiting.Writer.TryWrite((scope, card));
    }

    /// <summary>Until it is cancelled, and then what was found is kept one last time.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        // One for all ticks: the channel keeps each that was asked for until something comes.
        var arrival = Task.FromResult(true);
        while (!ct.IsCancellationRequested)
        {
            var tick = Task.Delay(Interval, ct);
            while (!tick.IsCompleted)
            {
                if (_waiting.Reader.TryRead(out var next))
                    await CompareAsync(next.Scope, next.Card, ct);
                else
                {
                    if (arrival.IsCompleted)
                        arrival = _waiting.Reader.WaitToReadAsync(ct).AsTask();
                    await Task.WhenAny(tick, arrival);
                }
            }
            await KeepAsync();
        }
        await KeepAsync();
    }

    private async Task CompareAsync(string scope, int card, CancellationToken ct)
    {
        if (await JudgeAsync(card, ct) is not { } verdict)
            return;
        var key = (scope, verdict);
        _found[key] = (_found.GetValueOrDefault(key).Reads + 1, card);
        _compared.Add(1, new("scope", scope), new("result", verdict.Result));
    }

    /// <summary>Null: the process ends.</summary>
    private async Task<ShadowVerdict?> JudgeAsync(int card, CancellationToken ct)
    {
        try
        {
            var (before, written) = await _odoo.WithPositionAsync(card, ct);
            var demand = new FreshnessDemand(new PositionDemand(null, written), null, LongestWait);
            var (found, problem) = await _finder.ByOdooIdAsync(card, demand, ct);
            if (problem is not (null or { Word: "card-not-found" }))
                return new ShadowVerdict(ShadowResult.NotCompared, problem.Word);
            var after = await _odoo.ByIdAsync(card, ct);
            return ShadowVerdict.Of(
                Form(before),
                problem is null ? Form(found.Card) : null,
                Form(after),
                written: before?.Version != after?.Version
            );
        }
        catch (OdooUnavailableException)
        {
            return new ShadowVerdict(ShadowResult.NotCompared, "odoo-unavailable");
        }
        catch (EngineUnavailableException)
        {
            return new ShadowVerdict(ShadowResult.NotCompared, "engine-unavailable");
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e)
        {
            // A defect of ours, of one card perhaps: it is said, and ends nothing.
            _log.CompareFailed(e);
            return new ShadowVerdict(ShadowResult.NotCompared, "failed");
        }
    }

    private static ShadowCard? Form(OdooCard? card) =>
        card is null ? null : new(card.Code, card.Points, card.ProgramId, card.PartnerId, card.CompanyId, card.Active, card.LastDay);

    private static ShadowCard Form(CardRow card) =>
        new(card.Code, card.Points, card.ProgramId, card.PartnerId, card.CompanyId, !card.Terms?.IsArchived, card.Terms?.LastDay);

    private async Task KeepAsync()
    {
        if (_found.Count == 0)
            return;
        try
        {
            List<ShadowCount> counts =
            [
                .. _found.Select(f => new ShadowCount(
                    f.Key.Scope,
                    f.Key.Verdict.Result,
                    f.Key.Verdict.Field ?? "",
                    f.Value.Reads,
                    f.Value.Card
                )),
            ];
            await _engine.UseAsync(
                async connection =>
                {
                    await ShadowTable.AddAsync(connection, counts, CancellationToken.None);
                    return true;
                },
                CancellationToken.None
            );
            _found.Clear();
            _notKept = false;
        }
        catch (EngineUnavailableException e)
        {
            // For the next time. Said once: it may be a right that is missing, which nobody else says.
            if (!_notKept)
                _log.ComparedNotKept(e.Message);
            _notKept = true;
        }
    }
}
