using Cdc.Workload.Plan;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Workload.Seeding;

/// <summary>Ids of the first rows written to each table.</summary>
internal sealed record FirstIds(int Program, int Card, int Move, int History);

/// <summary>
/// The initial rows' values. A card's points are the last balance of its history, as in an Odoo whose numbers agree.
/// </summary>
internal sealed class InitialContent
{
    public const string ProgramColumns =
        "loyalty_program (id, sequence, company_id, currency_id, name, program_type, applies_on, trigger, active, portal_visible, create_date, write_date)";
    public const string CardColumns =
        "loyalty_card (id, program_id, company_id, partner_id, code, access_token, active, expiration_date, create_date, write_date, points)";
    public const string MoveColumns =
        "loyalty_point_move (id, loyalty_card_id, membership_product_id, state, origin, gain_date, expiration_date, create_date, write_date, initial_point, remaining_point)";
    public const string HistoryColumns =
        "loyalty_point_history (id, loyalty_card_id, point_move_id, membership_product_id, status_membership_product_id, origin, transaction_time, create_date, write_date, points_amount, points_balance)";

    private static readonly string[] ProgramTypes = ["loyalty", "gift_card", "ewallet", "coupons", "promotion"];

    // Odoo's clock shows microseconds; a fixed beginning keeps the rows a function of the seed.
    private static readonly DateTime Beginning = new(2023, 1, 1, 6, 0, 0, DateTimeKind.Unspecified);
    private readonly int _seed;
    private readonly InitialRows _rows;
    private readonly FirstIds _first;
    private readonly double[] _finalBalance;
    private readonly double[] _balance;

    public InitialContent(int seed, InitialRows rows, FirstIds first)
    {
        (_seed, _rows, _first) = (seed, rows, first);
        (_finalBalance, _balance) = (new double[rows.Cards], new double[rows.Cards]);
        // Cards are written before their history and need its outcome.
        for (var row = 0; row < rows.History && rows.Cards > 0; row++)
            Apply(_finalBalance, row);
    }

    public void WriteProgram(NpgsqlBinaryImporter writer, int row)
    {
        writer.Write(_first.Program + row, NpgsqlDbType.Integer);
        writer.Write(row, NpgsqlDbType.Integer);
        writer.Write(1 + row % 3, NpgsqlDbType.Integer);
        writer.Write(1, NpgsqlDbType.Integer);
        writer.Write($"Programme fidélité {row + 1}", NpgsqlDbType.Varchar);
        writer.Write(ProgramTypes[row % ProgramTypes.Length], NpgsqlDbType.Varchar);
        writer.Write("both", NpgsqlDbType.Varchar);
        writer.Write("auto", NpgsqlDbType.Varchar);
        writer.Write(row % 7 != 6, NpgsqlDbType.Boolean);
        writer.Write(true, NpgsqlDbType.Boolean);
        writer.Write(Beginning, NpgsqlDbType.Timestamp);
        writer.Write(Beginning, NpgsqlDbType.Timestamp);
    }

    public void WriteCard(NpgsqlBinaryImporter writer, int row)
    {
        var dice = DiceFor(1, row);
        var id = _first.Card + row;
        var created = Moment(ref dice);
        writer.Write(id, NpgsqlDbType.Integer);
        WriteOrNull(writer, _rows.Programs > 0 ? _first.Program + row % _rows.Programs : null);
        writer.Write(1 + dice.Below(3), NpgsqlDbType.Integer);
        WriteOrNull(writer, dice.OneIn(20) ? null : 1 + dice.Below(1_000_000));
        writer.Write($"044{dice.Next():x16}-{id}", NpgsqlDbType.Varchar);
        writer.Write($"{dice.Next():x16}{dice.Next():x16}", NpgsqlDbType.Varchar);
        writer.Write(true, NpgsqlDbType.Boolean);
        if (dice.OneIn(3))
            writer.WriteNull();
        else
            writer.Write(DateOnly.FromDateTime(created.AddDays(dice.Below(2000))), NpgsqlDbType.Date);
        writer.Write(created, NpgsqlDbType.Timestamp);
        writer.Write(created.AddSeconds(dice.Below(1_000_000)), NpgsqlDbType.Timestamp);
        writer.Write(_finalBalance[row], NpgsqlDbType.Double);
    }

    public void WriteMove(NpgsqlBinaryImporter writer, int row)
    {
        var dice = DiceFor(2, row);
        var gained = Moment(ref dice);
        var points = (1 + dice.Below(4000)) / 20.0;
        var state = (row % 5) switch
        {
            3 => "depleted",
            4 => "expired",
            _ => "active",
        };
        writer.Write(_first.Move + row, NpgsqlDbType.Integer);
        WriteOrNull(writer, CardOf(row));
        writer.Write(1 + dice.Below(5), NpgsqlDbType.Integer);
        writer.Write(state, NpgsqlDbType.Varchar);
        writer.Write($"Order {dice.Below(10_000_000):00000-000-0000}", NpgsqlDbType.Varchar);
        writer.Write(gained, NpgsqlDbType.Timestamp);
        writer.Write(gained.AddDays(1 + dice.Below(1500)), NpgsqlDbType.Timestamp);
        writer.Write(gained, NpgsqlDbType.Timestamp);
        writer.Write(gained, NpgsqlDbType.Timestamp);
        writer.Write(points, NpgsqlDbType.Double);
        writer.Write(state == "active" ? points : 0, NpgsqlDbType.Double);
    }

    public void WriteHistory(NpgsqlBinaryImporter writer, int row)
    {
        var dice = DiceFor(4, row);
        var time = Beginning.AddSeconds(row).AddMicroseconds(dice.Below(1_000_000));
        writer.Write(_first.History + row, NpgsqlDbType.Integer);
        WriteOrNull(writer, CardOf(row));
        WriteOrNull(writer, row < _rows.Moves ? _first.Move + row : null);
        writer.Write(1 + dice.Below(5), NpgsqlDbType.Integer);
        WriteOrNull(writer, dice.OneIn(2) ? 1 + dice.Below(5) : null);
        writer.Write($"Shop/{dice.Below(40):00}/{row:00000000}", NpgsqlDbType.Varchar);
        writer.Write(time, NpgsqlDbType.Timestamp);
        writer.Write(time, NpgsqlDbType.Timestamp);
        writer.Write(time, NpgsqlDbType.Timestamp);
        writer.Write(_rows.Cards > 0 ? Apply(_balance, row) : 0, NpgsqlDbType.Double);
        writer.Write(_rows.Cards > 0 ? _balance[row % _rows.Cards] : 0, NpgsqlDbType.Double);
    }

    /// <summary>Books one history row's amount on its card, and returns it.</summary>
    private double Apply(double[] balances, int row)
    {
        var dice = DiceFor(3, row);
        var amount = (1 + dice.Below(2000)) / 20.0;
        ref var balance = ref balances[row % balances.Length];
        if (dice.OneIn(3) && balance - amount >= 0)
            amount = -amount;
        balance += amount;
        return amount;
    }

    private int? CardOf(int row) => _rows.Cards > 0 ? _first.Card + row % _rows.Cards : null;

    private Dice DiceFor(int table, int row) => Dice.For(_seed * 8 + table, row);

    private static DateTime Moment(ref Dice dice) => Beginning.AddSeconds(dice.Below(60_000_000)).AddMicroseconds(dice.Below(1_000_000));

    private static void WriteOrNull(NpgsqlBinaryImporter writer, int? value)
    {
        if (value is { } given)
            writer.Write(given, NpgsqlDbType.Integer);
        else
            writer.WriteNull();
    }
}
