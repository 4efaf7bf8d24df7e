using System.Text.Json;
using System.Text.Json.Serialization;
using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Flags;
using Cdc.Api.Freshness;
using Cdc.Api.Live;
using Cdc.Api.Metrics;
using Cdc.Api.Operations;
using Cdc.Api.Page;
using Cdc.Api.Problems;
using Cdc.Api.Replicas;
using Cdc.Api.Security;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
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
        var (card, history) = (Entity(parts, "card"), Entity(parts, "history"));
        var column = card.NotifyColumn ?? throw Undeclared("card declares no column in \"notify\"");
        var log = parts.Loggers.CreateLogger("Cdc.Api");
        services
            .AddSingleton(parts)
            .AddSingleton(options)
            .AddSingleton(parts.Quarantine)
            .AddSingleton(parts.SourceClock)
            .AddSingleton(TimeProvider.System)
            .AddSingleton(log);
        services
            .AddSingleton(new DeclaredLookup(card, column))
            .AddSingleton(new CardCache(options.CacheBytes))
            .AddSingleton(new EngineMomentReader(card));
        services
            .AddSingleton(new EngineReads(parts.EngineConnectionString, options))
            .AddSingleton(new StatusCache(parts.Status, TimeProvider.System));
        services.AddSingleton<AnswerFloors>().AddSingleton<ReplicaReads>().AddSingleton<ReadRouter>();
        services.AddSingleton<FreshnessClock>().AddSingleton<SourceSampler>().AddSingleton<MomentWatch>().AddSingleton<CardFinder>();
        services
            .AddSingleton(s => ActivatorUtilities.CreateInstance<CardReader>(s, card))
            .AddSingleton(s => new HistoryReader(s.GetRequiredService<ReadRouter>(), card, history));
        services.AddSingleton(s => new GatheredReads(
            s.GetRequiredService<CardReader>().ByCodesAsync,
            s.GetRequiredService<EngineReads>().LongestQueue
        ));
        services.AddSingleton<KeyRing>().AddSingleton<FlagTable>();
        services.AddSingleton(s =>
            ActivatorUtilities.CreateInstance<EngineListener>(
                s,
                (IReadOnlyList<INotifiedTable>)[s.GetRequiredService<KeyRing>(), s.GetRequiredService<FlagTable>()]
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
        services.AddSingleton<ReconcileStanding>().AddSingleton<ApiMeter>().AddSingleton<MetricCollector>();
        services.AddMetrics().AddSingleton<PipelineMetrics>().AddSingleton<RequestDurations>();
        services.AddSingleton<Admission>().AddSingleton<FailureHandling>();
        services.AddSingleton<IFeatureDefinitionProvider, FlagDefinitions>().AddFeatureManagement();
        services.AddRouting().AddOpenApi();
        services.Configure<JsonOptions>(json => Describe(json.SerializerOptions));
    }

    private static void Describe(JsonSerializerOptions json) =>
        json.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));

    private static EntityDeclaration Entity(ApiParts parts, string name) =>
        parts.Entities.Find(name) ?? throw Undeclared($"there is no entity {name}");

    private static CdcException Undeclared(string what) =>
        new(
            FailureKind.Configuration,
            $"The Api cannot serve balances: {what} in the entities declaration.",
            "Declare it as the delivered schemas/entities.json does, or set Api:Enabled to false."
        );
}
