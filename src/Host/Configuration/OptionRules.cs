using Cdc.Core.Configuration;
using Cdc.Core.Failures;
using Cdc.Log;

namespace Cdc.Host.Configuration;

/// <summary>
/// Refuses wrong values before anything is touched: each section says what its own must satisfy; what rests on the command, or on several
/// sections, is here.
/// </summary>
internal sealed class OptionRules(OptionOrigin origin, ICollection<Finding> findings)
{
    public void Check(CdcOptions options, Needs needs)
    {
        if (needs.HasFlag(Needs.Source))
            Connection("Source:ConnectionString", options.Source.ConnectionString);
        if (needs.HasFlag(Needs.Engine))
            Connection("Engine:ConnectionString", options.Engine.ConnectionString);
        if (options.Api.ReplicaConnectionString.Length > 0)
            Connection("Api:ReplicaConnectionString", options.Api.ReplicaConnectionString);
        if (options.Log.Kind == ChangeLogKind.Kafka && needs != Needs.None && options.Kafka.BootstrapServers.Length == 0)
            Refuse("Kafka:BootstrapServers", "must name brokers, such as kafka-1:9092,kafka-2:9092, where Log:Kind is Kafka");
        Pairs(options);
        if (options.Entities.File.Length == 0)
            Refuse("Entities", "must be the path of the entities declaration");
        foreach (var (name, property) in OptionBinder.PropertiesOf(typeof(CdcOptions)))
            if (property.GetValue(options) is IOptionSection section)
                section.Check(new OptionChecks((option, rule) => Refuse($"{name}:{option}", rule)));
    }

    /// <summary>Of two sections, which together never do what each of them says.</summary>
    private void Pairs(CdcOptions options)
    {
        var (alerts, continuous) = (options.Alerts, options.Continuous);
        if (!continuous.Enabled || continuous.Interval <= TimeSpan.Zero || alerts.ShortWindow <= TimeSpan.Zero)
            return;
        if (continuous.Interval > alerts.ShortWindow)
            Refuse(
                "Alerts:ShortWindow",
                $"is {alerts.ShortWindow}, and must not be shorter than Continuous:Interval ({continuous.Interval}): it would often hold no "
                    + "comparison, and then nothing but a warning fires"
            );
        else if (
            alerts.LongWindow >= alerts.ShortWindow
            && alerts.MinSamples > 0
            && alerts.MinSamples > alerts.LongWindow / continuous.Interval
        )
            Refuse(
                "Alerts:MinSamples",
                $"is {alerts.MinSamples}: Alerts:LongWindow ({alerts.LongWindow}) never holds so many comparisons, one in each "
                    + $"Continuous:Interval ({continuous.Interval}), and nothing but a warning would ever fire"
            );
        if (continuous.SliceTime > options.Reconcile.StatementTimeout && options.Reconcile.StatementTimeout > TimeSpan.Zero)
            Refuse(
                "Continuous:SliceTime",
                $"is {continuous.SliceTime}, and must not be longer than Reconcile:StatementTimeout ({options.Reconcile.StatementTimeout}), "
                    + "which ends its statements"
            );
    }

    private void Connection(string path, string text)
    {
        var variable = OptionOrigin.VariableOf(path);
        if (string.IsNullOrWhiteSpace(text))
            Add(
                "connection-string",
                $"{path} is missing",
                $"export {variable}='Host=...;Port=5432;Database=...;Username=...;Password=...'"
            );
        else if (ConnectionForms.WhyNot(text) is { } why)
            // The text is not repeated, nor Npgsql's message: parts of a password with a semicolon in it would show.
            Add(
                "connection-string",
                $"{origin.Of(path)} {why}",
                "Write it as Host=...;Port=5432;Database=...;Username=...;Password='...' (quote values that contain a semicolon), or as "
                    + "psql takes it: postgresql://user:password@host:5432/database, or host=... dbname=... user=..."
            );
    }

    private void Refuse(string path, string rule) =>
        Add(
            "option-range",
            $"{origin.Of(path)} {rule}",
            $"Correct it, or leave it out for the default; {OptionOrigin.VariableOf(path)} overrides the file."
        );

    private void Add(string code, string what, string remedy) => findings.Add(new Finding(code, IsError: true, what + ".", remedy));
}
