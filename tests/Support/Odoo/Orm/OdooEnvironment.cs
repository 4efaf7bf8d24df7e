using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Npgsql;

namespace Cdc.Tests.Support.Odoo.Orm;

/// <summary>One call's user, context and transaction, as <c>env</c> is in Odoo.</summary>
internal sealed class OdooEnvironment(NpgsqlConnection db, OdooModels models, OdooUser user, PyDict context, CancellationToken ct)
{
    private Dictionary<string, OdooModel> _withManual = [];

    public OdooModels Models => models;

    public int Uid => user.Id;

    public OdooUser User => user;

    public PyDict Context => context;

    public CancellationToken Ct => ct;

    /// <summary>Rights are not looked at.</summary>
    public bool IsSuper { get; private init; }

    /// <summary>What a test has Odoo's own rules refuse.</summary>
    public Refusals Refusals { get; init; } = new();

    public string Language => context.GetValueOrDefault("lang") as string ?? "en_US";

    public string TimeZone => context.GetValueOrDefault("tz") as string ?? user.TimeZone ?? "UTC";

    public OdooEnvironment Sudo() => Copy(context, isSuper: true);

    public OdooEnvironment With(PyDict changed) => Copy(changed, IsSuper);

    /// <summary>With the fields that somebody has made by hand.</summary>
    public async Task<OdooModel> ModelAsync(string name)
    {
        if (_withManual.TryGetValue(name, out var known))
            return known;
        var model = models.Find(name) ?? throw OdooError.Value($"Unknown model {name}");
        var rows = await RowsAsync(
            "SELECT name, field_description ->> 'en_US', ttype, relation FROM ir_model_fields WHERE model = $1 AND state = 'manual'",
            name
        );
        return _withManual[name] = model.With(rows.Select(Manual));
    }

    /// <summary>A field was made or removed.</summary>
    public void ForgetManualFields() => _withManual.Clear();

    public void Check(OdooModel model, Operation operation)
    {
        if (!May(model, operation))
            throw OdooError.Access(AccessText.Of(model, operation, models.Major));
    }

    public bool May(OdooModel model, Operation operation) =>
        IsSuper || model.Rights.GetValueOrDefault(operation, []).Any(user.Groups.Contains);

    public async Task<int> ExecuteAsync(string sql, params object?[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(ct);
    }

    public async Task<List<object?[]>> RowsAsync(string sql, params object?[] values)
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<object?[]>();
        while (await reader.ReadAsync(ct))
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++)
                row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            rows.Add(row);
        }
        return rows;
    }

    public async Task<object?> ScalarAsync(string sql, params object?[] values) =>
        (await RowsAsync(sql, values)).FirstOrDefault()?.FirstOrDefault();

    /// <summary>Runs it in a savepoint: what it did is undone if it throws, and the transaction goes on.</summary>
    public async Task SavepointAsync(Func<Task> run)
    {
        await ExecuteAsync("SAVEPOINT part");
        try
        {
            await run();
            await ExecuteAsync("RELEASE SAVEPOINT part");
        }
        catch
        {
            // Released too, or the one around it would be out of reach.
            await ExecuteAsync("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part");
            throw;
        }
    }

    private OdooEnvironment Copy(PyDict newContext, bool isSuper) =>
        new(db, models, user, newContext, ct)
        {
            IsSuper = isSuper,
            Refusals = Refusals,
            _withManual = _withManual,
        };

    private NpgsqlCommand Command(string sql, object?[] values)
    {
        var command = new NpgsqlCommand(sql, db);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
        return command;
    }

    private static OdooField Manual(object?[] row) =>
        new((string)row[0]!, (string?)row[1] ?? (string)row[0]!, Enum.Parse<FieldType>((string)row[2]!, ignoreCase: true))
        {
            Relation = (string?)row[3],
            IsManual = true,
        };
}
