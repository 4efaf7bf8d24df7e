using System.Text.Json;
using System.Text.Json.Serialization;
using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Flags;
using Cdc.Api.Freshness;
using Cdc.Api.Live;
using Cdc.Api.Metrics;
using Cdc.Api.Odoo;
using Cdc.Api.Operations;
using Cdc.Api.Page;
using Cdc.Api.Problems;
using Cdc.Api.Replicas;
using Cdc.Api.Routes;
using Cdc.Api.Security;
using Cdc.Core.Progress;
using Cdc.Expressions.Rows;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.FeatureManagement;

namespace Cdc.Api;

/// <summary>The services of the Api.</summary>
internal static class ApiServices
{
    public static void AddApi(this IServiceCollection services, ApiParts parts, ApiOptions options)
    {
        var log = parts.Loggers.CreateLogger("Cdc.Api");
        services
            .AddSingleton(parts)
            .AddSingleton(options)
            .AddSingleton(parts.Quarantine)
            .AddSingleton(parts.Odoo)
            .AddSingleton(parts.SourceClock)
            .AddSingleton(TimeProvider.System)
            .AddSingleton(log);
        services
            .AddSingleton(new CardCache(CacheBytes(ServedCards.Of(parts.Entities), options)))
            .AddSingleton(new EngineReads(parts.EngineConnectionString, options))
            .AddSingleton(new StatusCache(parts.Status, parts.Statistics, TimeProvider.System));
        services.AddSingleton<AnswerFloors>().AddSingleton<ReplicaReads>().AddSingleton<ReadRouter>();
        services.AddSingleton<FreshnessClock>().AddSingleton<SourceSampler>();
        services.AddSingleton<KeyRing>().AddSingleton<FlagTable>().AddSingleton<RouteTable>().AddSingleton<Router>();
        if (ServedCards.Of(parts.Entities) is { } cards)
            services.AddCards(cards, options);
        services.AddSingleton(s =>
            ActivatorUtilities.CreateInstance<EngineListener>(
                s,
                new ListenedTables(
                    [s.GetRequiredService<KeyRing>(), s.GetRequiredService<FlagTable>(), s.GetRequiredService<RouteTable>()],
                    s.GetService<EngineMomentReader>()
                )
                {
                    Programs = ServedCards.Of(parts.Entities)?.Program is { NotifyColumn: not null } program
                        ? ChangeNotice.Channel(program.Name)
                        : null,
                }
            )
        );
        services.AddSingleton(s => new AppliedDays(s.GetRequiredService<EngineReads>(), parts.Statistics, log));
        services
            .AddSingleton(parts.RunReports)
            .AddSingleton<DriftTable>()
            .AddSingleton<LiveBoard>()
            .AddSingleton<MarksReader>()
            .AddSingleton<PipelineRates>()
            .AddSingleton<LiveStateReader>()
            .AddSingleton<LiveSampler>();
        services.AddSingleton<ReconcileStanding>().AddSingleton<WayBackStanding>().AddSingleton<ApiMeter>().AddSingleton<MetricCollector>();
        services
            .AddMetrics()
            .AddSingleton<PipelineMetrics>()
            .AddSingleton<RequestDurations>()
            .AddSingleton<RoutedReads>()
            .AddSingleton<CutoverWatch>();
        services.AddSingleton<Admission>().AddSingleton<FailureHandling>();
        services.AddSingleton<IFeatureDefinitionProvider, FlagDefinitions>().AddFeatureManagement();
        services.AddRouting().AddOpenApi();
        services.Configure<JsonOptions>(json => Describe(json.SerializerOptions));
    }

    private static void Describe(JsonSerializerOptions json) =>
        json.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));

    /// <summary>A program that is not announced would be out of date in what is kept of its cards.</summary>
    private static long CacheBytes(ServedCards? cards, ApiOptions options) =>
        cards is { Program.NotifyColumn: null } && cards.Card.ServedColumn("active") is not null ? 0 : options.CacheBytes;

    private static void AddCards(this IServiceCollection services, ServedCards cards, ApiOptions options)
    {
        services
            .AddSingleton(cards)
            .AddSingleton(s => new SpendableJudge(
                s.GetRequiredService<TimeProvider>(),
                TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone)
            ));
        services
            .AddSingleton(new DeclaredLookup(cards.Card, cards.Column))
            .AddSingleton(new EngineMomentReader(cards.Card))
            .AddSingleton<MomentWatch>()
            .AddSingleton<CardFinder>()
            .AddSingleton<CardReader>()
            .AddSingleton<OdooCards>()
            .AddSingleton<ShadowReads>()
            .AddSingleton<SidedCards>();
        services.AddSingleton(s => new GatheredReads(
            s.GetRequiredService<CardReader>().ByCodesAsync,
            s.GetRequiredService<EngineReads>().LongestQueue
        ));
        if (cards.History is { } history)
            services.AddSingleton(s => new HistoryReader(s.GetRequiredService<ReadRouter>(), cards.Card, history));
    }
}
