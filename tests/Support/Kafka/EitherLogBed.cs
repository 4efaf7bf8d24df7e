using Cdc.Core.Entities;
using Cdc.Log.Registry;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;

namespace Cdc.Tests.Support.Kafka;

/// <summary>A <see cref="PipelineBed"/> for what must hold over either log.</summary>
public sealed class EitherLogBed : IAsyncDisposable
{
    private readonly KafkaPipelineBed? _kafka;
    private readonly List<RunningEnd> _ends = [];

    private EitherLogBed(PipelineBed bed, KafkaPipelineBed? kafka) => (Bed, _kafka) = (bed, kafka);

    public PipelineBed Bed { get; }

    /// <param name="entities">Others than the delivered ones, whose topics are made.</param>
    public static async Task<EitherLogBed> CreateAsync(
        TestServers servers,
        TestKafka kafka,
        bool overKafka,
        CancellationToken ct,
        EntitySet? entities = null,
        OdooVersion version = OdooVersion.Delivered
    )
    {
        var bed = await PipelineBed.CreateAsync(servers, version, ct);
        bed.Entities = entities ?? bed.Entities;
        return new EitherLogBed(
            bed,
            overKafka ? await KafkaPipelineBed.WithTopicsAsync(new KafkaPipelineBed(bed, await kafka.OptionsAsync()), ct) : null
        );
    }

    /// <summary>Over Kafka: records as production writes them, of the entities as they are now.</summary>
    public void UseAvro() => _kafka?.UseAvro(new RegistryOptions());

    /// <summary>Over Kafka with two workers that share its partitions.</summary>
    public void Start()
    {
        if (_kafka is null)
            Bed.StartInProcess();
        else
        {
            _ends.Add(_kafka.StartBoth());
            _ends.Add(_kafka.StartApply());
        }
    }

    /// <summary>Drains what was started.</summary>
    public async Task StopAsync()
    {
        if (_kafka is null)
            await Bed.StopInProcessAsync();
        foreach (var end in _ends)
            await end.StopAsync();
        _ends.Clear();
    }

    public ValueTask DisposeAsync() => _kafka?.DisposeAsync() ?? Bed.DisposeAsync();
}
