using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Cdc.Api.Metrics;

/// <summary>Sends the same instruments by OTLP.</summary>
internal static class OtlpExport
{
    /// <summary>Null: no endpoint is set.</summary>
    public static IDisposable? Start(ApiOptions options, string version) =>
        options.OtlpEndpoint.Length == 0
            ? null
            : Sdk.CreateMeterProviderBuilder()
                .SetResourceBuilder(ResourceBuilder.CreateEmpty().AddService("cdc", serviceVersion: version))
                .AddMeter(ApiMeter.Name)
                .AddOtlpExporter(otlp => otlp.Endpoint = new Uri(options.OtlpEndpoint))
                .Build();
}
