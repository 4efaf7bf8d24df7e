using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Orm;
using static Cdc.Tests.Support.Odoo.Methods.PyOperators;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>
/// server-action.py, line by line, over the real rows: the engine's changes of cards, each applied if its predecessor is what the card has.
/// Variables have the names they have there.
/// </summary>
internal sealed class ApplyChanges(OdooEnvironment caller)
{
    /// <summary>The first line is what a message of PostgreSQL shows.</summary>
    private const string LockSql = """
        SELECT id, coalesce(x_cdc_seq, 0), coalesce(points, 0), to_jsonb(c) ->> 'active' FROM loyalty_card c
                          WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE
        """;

    private const string RegisterSql = """
        INSERT INTO ir_model_data (module, name, model, res_id, noupdate) SELECT 'cdc', $1, 'ir.config_parameter', id, true
        FROM ir_config_parameter WHERE key = 'cdc.cards' ON CONFLICT (module, name) DO NOTHING
        """;

    private const double MostDelta = 1e12;
    private const double MostNumber = 9007199254740992;
    private static readonly string[] Allowed = ["program_id", "partner_id", "code", "expiration_date", "active"];

    private readonly OdooEnvironment _env = caller.With(Quiet(caller.Context)).Sudo();
    private readonly OrderedDictionary<long, PyDict> _written = [];
    private ModelRecords _cards = null!;

    /// <summary>The statement that an error of PostgreSQL may be of.</summary>
    public string? LastSql { get; private set; }

    public async Task<PyDict> RunAsync()
    {
        _cards = await ModelRecords.OfAsync(_env, "loyalty.card");
        var entries = (caller.Context.GetValueOrDefault("cdc_cards") as List<object?> ?? []).Select(Copy).ToList();
        foreach (var e in entries)
        {
            e["state"] = "known";
            if (IsTrue(e.GetValueOrDefault("ref")))
                await FindOrCreateAsync(e);
        }
        var rows = await LockAsync([.. entries.Select(e => Item(e, "card") as long? ?? 0)]);
        var res = new List<object?>();
        var history = new List<PyDict>();
        foreach (var e in entries)
            res.Add(Apply(e, rows.GetValueOrDefault(e["card"] as long? ?? 0), history));
        if (history.Count > 0)
            await (await ModelRecords.OfAsync(_env, "loyalty.history")).CreateAsync(history);
        return new PyDict { ["type"] = "ir.actions.act_window_close", ["infos"] = res };
    }

    /// <summary>One UPDATE of each card, whatever number of changes it had.</summary>
    public async Task FlushAsync()
    {
        foreach (var (card, values) in _written)
            await _cards.WriteAsync([card], values);
    }

    private async Task FindOrCreateAsync(PyDict e)
    {
        if (e["ref"] is not string reference)
            throw new PyError("TypeError", "can only concatenate str (not \"int\") to str");
        var born = await _env.ExecuteAsync(RegisterSql, "card_" + reference) > 0;
        var found = await _cards.SearchAsync(
            new List<object?>
            {
                new List<object?> { "x_cdc_ref", "=", reference },
            },
            limit: 1
        );
        e["card"] = found.Count > 0 ? found[0] : false;
        if (born && found.Count == 0)
        {
            var create = Item(e, "create") as PyDict ?? throw new PyError("AttributeError", "'NoneType' object has no attribute 'items'");
            var values = Only(create);
            values["x_cdc_ref"] = reference;
            e["card"] = (await _cards.CreateAsync([values]))[0];
            e["state"] = "created";
        }
        else if (!born && await _env.ScalarAsync("SELECT value FROM ir_config_parameter WHERE key = 'cdc.cards'") is null or "")
            throw OdooError.User("The system parameter cdc.cards is missing");
    }

    private async Task<Dictionary<long, LockedCard>> LockAsync(long[] ids)
    {
        LastSql = LockSql;
        var rows = await _env.RowsAsync(LockSql, ids);
        LastSql = null;
        return rows.ToDictionary(r => (long)(int)r[0]!, r => new LockedCard(r[1]!, (double)r[2]!, r[3] as string));
    }

    private PyDict Apply(PyDict e, LockedCard? row, List<PyDict> history)
    {
        var vals = new PyDict();
        var states = new List<object?>();
        foreach (var m in (e.GetValueOrDefault("changes") as List<object?> ?? []).Select(Copy))
        {
            var state = State(e, row, m, out var delta);
            states.Add(state);
            if (state != "applied")
                continue;
            row!.Seq = Item(m, "seq")!;
            row.Points += ToDouble(delta);
            foreach (var (name, value) in Only(m.GetValueOrDefault("values") as PyDict ?? []))
                vals[name] = value;
            vals["x_cdc_seq"] = row.Seq;
            if (!IsTrue(delta))
                continue;
            vals["points"] = row.Points;
            if (_env.Models.Find("loyalty.history") is not null && IsTrue(m.GetValueOrDefault("text")))
                history.Add(Movement(e, m, ToDouble(delta)));
        }
        if (vals.Count > 0)
            Write((long)e["card"]!, vals);
        return new PyDict
        {
            ["card"] = IsTrue(e["card"]) ? e["card"] : 0L,
            ["state"] = row is null ? "no-card" : e["state"],
            ["seq"] = row?.Seq ?? 0L,
            ["points"] = row is null ? (object)0L : row.Points,
            ["active"] = row is not null && row.Active != "false",
            ["changes"] = states,
        };
    }

    private static string State(PyDict e, LockedCard? row, PyDict m, out object delta)
    {
        delta = IsTrue(m.GetValueOrDefault("delta")) ? m["delta"]! : 0L;
        if (row is null)
            return "no-card";
        var seq = Item(m, "seq");
        if (IsAtMost(seq, row.Seq))
            return "past";
        var after = IsTrue(m.GetValueOrDefault("after")) ? m["after"] : 0L;
        if (!PyOperators.Equals(after, row.Seq))
            return "gap";
        if (row.Active == "false" && !IsTrue(e.GetValueOrDefault("archived")))
            return "archived";
        return Abs(delta) < MostDelta && IsLess(seq, MostNumber) && IsWhole(seq) ? "applied" : "refused";
    }

    private static PyDict Movement(PyDict e, PyDict m, double delta) =>
        new()
        {
            ["card_id"] = e["card"],
            ["description"] = m["text"],
            ["issued"] = Math.Max(delta, 0),
            ["used"] = Math.Max(-delta, 0),
            ["x_cdc_ref"] = m.GetValueOrDefault("ref"),
        };

    /// <summary>The ORM looks at fields and values at once, and writes them later.</summary>
    private void Write(long card, PyDict vals)
    {
        foreach (var (name, value) in vals)
            FieldValues.ToColumn(
                _cards.Model.Fields.GetValueOrDefault(name)
                    ?? throw OdooError.Value($"Invalid field '{name}' on model '{_cards.Model.Name}'"),
                value,
                "en_US"
            );
        if (!_written.TryGetValue(card, out var before))
            _written[card] = before = [];
        foreach (var (name, value) in vals)
            before[name] = value;
    }

    private static PyDict Only(PyDict values)
    {
        var only = new PyDict();
        foreach (var (name, value) in values.Where(v => Allowed.Contains(v.Key)))
            only[name] = value;
        return only;
    }

    private static PyDict Copy(object? value) =>
        value is PyDict dict ? new PyDict(dict) : throw new PyError("TypeError", "'NoneType' object is not iterable");

    private static PyDict Quiet(PyDict context) =>
        new(context)
        {
            ["active_test"] = false,
            ["tracking_disable"] = true,
            ["mail_create_nosubscribe"] = true,
            ["loyalty_no_mail"] = true,
            ["action_no_send_mail"] = true,
            ["lang"] = "en_US",
            ["tz"] = "UTC",
            ["cdc_cards"] = null,
        };

    /// <param name="seq">A double as the row has it; what a change sends is an integer.</param>
    private sealed class LockedCard(object seq, double points, string? active)
    {
        public object Seq { get; set; } = seq;
        public double Points { get; set; } = points;
        public string? Active => active;
    }
}
