using System.Globalization;

namespace Cdc.Tests.Integration.Pipeline.Histories;

/// <summary>
/// Draws what the transactions of a history do: SQL over so few keys that sessions collide. Every insert and update of a row takes the next
/// number of the sequence <c>version</c> into a column, so that of two states of a row the older one is known by the smaller number.
/// </summary>
internal sealed class HistoryPlan(Random random)
{
    public const int FirstAccount = 101;

    /// <summary>The sequence, and what is counted of a card beside Odoo's columns: updates of this key, and whether it ever broke a rule.</summary>
    public const string Setup = $"""
        {Tills.Setup}
        {HashedTables.Setup}
        CREATE SEQUENCE version;
        ALTER TABLE loyalty_card ADD updates int NOT NULL DEFAULT 0, ADD was_broken bool NOT NULL DEFAULT false;
        CREATE FUNCTION count_update() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN NEW.updates = CASE WHEN NEW.id = OLD.id THEN OLD.updates + 1 ELSE 1 END; END IF;
            NEW.was_broken = NEW.points < 0 OR btrim(NEW.code) = '' OR TG_OP = 'UPDATE' AND NEW.id = OLD.id AND OLD.was_broken;
            RETURN NEW;
        END $$;
        CREATE TRIGGER count_update BEFORE INSERT OR UPDATE ON loyalty_card FOR EACH ROW EXECUTE FUNCTION count_update();
        INSERT INTO loyalty_program (name, active) VALUES ('one', true), ('two', false);
        """;

    /// <summary>Rows may pass through each other's keys.</summary>
    public const string DeferrableKey = """
        ALTER TABLE loyalty_point_history DROP CONSTRAINT loyalty_point_history_pkey, ADD PRIMARY KEY (id) DEFERRABLE;
        ALTER TABLE loyalty_point_history REPLICA IDENTITY FULL
        """;

    private const int Cards = 8;
    private const int Rows = 12;
    private const int Accounts = 4;
    private const string Version = "nextval('version')";

    private const int Programs = 3;
    private const int Points = 4;

    private static readonly string[] Tables =
    [
        "loyalty_card",
        "loyalty_point_move",
        "loyalty_point_history",
        "loyalty_program_pos_config_rel",
        "voucher",
        "route",
    ];

    /// <summary>What collations take for equal, what separates, and what escapes.</summary>
    private static readonly string[] Names = ["''", "'a'", "'A'", "'a '", "','", "E'\\\\'"];
    private static readonly string[] Numbers = ["-1", "9223372036854775807"];

    public bool Chance(int percent) => random.Next(100) < percent;

    public int Between(int least, int most) => random.Next(least, most + 1);

    /// <summary>Statements that succeed or fail together.</summary>
    public IReadOnlyList<string> NextOperation() =>
        random.Next(100) switch
        {
            < 22 => Card(),
            < 45 => Move(),
            < 63 => History(),
            < 68 => Till(),
            < 72 => Voucher(),
            < 76 => Route(),
            < 88 => Movement(),
            < 90 => [Swap(Key(Cards), Key(Cards))],
            < 92 => Meet(),
            < 96 => InsertUpdateDelete(),
            < 98 => [$"UPDATE loyalty_point_move SET remaining_point = {Version}"],
            _ => [$"TRUNCATE {Tables[random.Next(Tables.Length)]} CASCADE"],
        };

    private string[] Card()
    {
        var key = Key(Cards);
        return random.Next(10) switch
        {
            < 3 =>
            [
                Lock(1, key),
                $"INSERT INTO loyalty_card (id, program_id, partner_id, code, points, create_date) VALUES ({key}, {Key(2)}, {Partner()}, {Code()}, {Signed()}, now())",
            ],
            < 7 => [$"UPDATE loyalty_card SET points = {Signed()}{(Chance(30) ? $", code = {Code()}" : "")} WHERE id = {key}"],
            < 8 => Rekey("loyalty_card", 1, "points", Cards),
            _ => [$"DELETE FROM loyalty_card WHERE id = {key}"],
        };
    }

    private string[] Move()
    {
        var key = Key(Rows);
        return random.Next(12) switch
        {
            < 4 => [Lock(2, key), InsertMove(key)],
            // Most leave a large origin as it was: pgoutput then does not send it.
            < 9 =>
            [
                $"UPDATE loyalty_point_move SET remaining_point = {Version}{(Chance(25) ? $", origin = {Origin()}" : "")}{(Chance(25) ? $", state = {State()}" : "")} WHERE id = {key}",
            ],
            < 10 => Rekey("loyalty_point_move", 2, "remaining_point", Rows),
            _ => [$"DELETE FROM loyalty_point_move WHERE id = {key}"],
        };
    }

    private string[] History()
    {
        var key = Key(Rows);
        return random.Next(12) switch
        {
            < 6 => [Lock(3, key), InsertHistory(key)],
            < 9 => [$"UPDATE loyalty_point_history SET points_balance = {Signed()}, point_move_id = {MoveOrNone()} WHERE id = {key}"],
            < 10 => Rekey("loyalty_point_history", 3, "points_balance", Rows),
            _ => [$"DELETE FROM loyalty_point_history WHERE id = {key}"],
        };
    }

    /// <summary>Its key changes in the first column, in the second, and in both.</summary>
    private string[] Till()
    {
        var (program, point) = (Key(Programs), Key(Points));
        var (toProgram, toPoint) = (Chance(50) ? program : Key(Programs), Chance(50) ? point : Key(Points));
        var at = $"WHERE loyalty_program_id = {program} AND pos_config_id = {point}";
        return random.Next(10) switch
        {
            < 4 =>
            [
                Lock(4, program * 100 + point),
                $"INSERT INTO loyalty_program_pos_config_rel (loyalty_program_id, pos_config_id, version, note) VALUES ({program}, {point}, {Signed()}, {Origin()})",
            ],
            // A large note stays as it was: pgoutput then does not send it.
            < 6 => [$"UPDATE loyalty_program_pos_config_rel SET version = {Version}{(Chance(30) ? $", note = {Origin()}" : "")} {at}"],
            < 9 =>
            [
                Lock(4, toProgram * 100 + toPoint),
                $"UPDATE loyalty_program_pos_config_rel SET loyalty_program_id = {toProgram}, pos_config_id = {toPoint}, version = {Version} {at}",
            ],
            _ => [$"DELETE FROM loyalty_program_pos_config_rel {at}"],
        };
    }

    private string[] Voucher()
    {
        var (from, to) = (random.Next(Names.Length), random.Next(Names.Length));
        return Hashed(
            "voucher",
            (from, $"code = {Names[from]}"),
            (to, $"code = {Names[to]}"),
            $"(code, version, note) VALUES ({Names[from]}"
        );
    }

    private string[] Route()
    {
        var (from, to) = (random.Next(16), random.Next(16));
        var inserted = $"(number, name, uid, version, note) VALUES ({string.Join(", ", Columns(from))}";
        return Hashed("route", (from, Are(from, " AND ")), (to, Are(to, ", ")), inserted);

        static string Are(int key, string with) =>
            string.Join(with, Columns(key).Zip((string[])["number", "name", "uid"], (value, name) => $"{name} = {value}"));

        static string[] Columns(int key) => [Numbers[key % 2], Names[2 + key / 2 % 4], $"'00000000-0000-4000-8000-00000000000{key / 8}'"];
    }

    /// <param name="from">Place of a key among the table's, and which row it is.</param>
    /// <param name="to">The same of another one, as it is assigned.</param>
    /// <param name="inserted">Columns and values up to the version.</param>
    private string[] Hashed(string table, (int Place, string Is) from, (int Place, string Set) to, string inserted)
    {
        var kind = table == "voucher" ? 5 : 6;
        return random.Next(10) switch
        {
            < 4 => [Lock(kind, from.Place), $"INSERT INTO {table} {inserted}, {Signed()}, {Origin()})"],
            < 6 => [$"UPDATE {table} SET version = {Version}{(Chance(30) ? $", note = {Origin()}" : "")} WHERE {from.Is}"],
            < 9 => [Lock(kind, to.Place), $"UPDATE {table} SET {to.Set}, version = {Version} WHERE {from.Is}"],
            _ => [$"DELETE FROM {table} WHERE {from.Is}"],
        };
    }

    /// <summary>What every transaction of an account keeps true: the card's points are its last history row's balance.</summary>
    private string[] Movement()
    {
        var account = FirstAccount + random.Next(Accounts);
        return
        [
            Lock(1, account),
            $"INSERT INTO loyalty_card (id, program_id, code, points) VALUES ({account}, 1, 'account {account}', {Version}) ON CONFLICT DO NOTHING",
            $"UPDATE loyalty_card SET points = {Version} WHERE id = {account}",
            $"INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount, points_balance, origin) SELECT 1000 + points, id, 1, points, {Origin()} FROM loyalty_card WHERE id = {account}",
        ];
    }

    private string[] InsertUpdateDelete()
    {
        var key = Key(Rows);
        string[] begin =
        [
            Lock(2, key),
            $"DELETE FROM loyalty_point_move WHERE id = {key}",
            InsertMove(key),
            $"UPDATE loyalty_point_move SET remaining_point = {Version} WHERE id = {key}",
        ];
        return Chance(30)
            ? begin
            : [.. begin, $"DELETE FROM loyalty_point_move WHERE id = {key}", .. Chance(50) ? [InsertMove(key)] : Array.Empty<string>()];
    }

    /// <summary>Refused where the key is checked at each row. What comes to a key always has the greater version.</summary>
    private string[] Meet()
    {
        var (a, b) = (Key(Rows - 2), Key(Rows - 2));
        var locks = Enumerable.Range(Math.Min(a, b), Math.Abs(a - b) + 2).Select(key => Lock(3, key));
        return
        [
            .. locks,
            .. random.Next(3) switch
            {
                0 =>
                [
                    $"UPDATE loyalty_point_history SET id = id + 1, points_balance = {Version} WHERE id BETWEEN {Math.Min(a, b)} AND {Math.Max(a, b)}",
                ],
                1 => [$"UPDATE loyalty_point_history SET id = {a} + {b} - id, points_balance = {Version} WHERE id IN ({a}, {b})"],
                _ => (string[])
                    [
                        "SET CONSTRAINTS ALL DEFERRED",
                        $"UPDATE loyalty_point_history SET id = {a}, points_balance = {Version} WHERE id = {b}",
                        "DELETE FROM loyalty_point_history c WHERE EXISTS (SELECT FROM loyalty_point_history o WHERE o.id = c.id AND abs(o.points_balance) > abs(c.points_balance))",
                        "SET CONSTRAINTS ALL IMMEDIATE",
                    ],
            },
        ];
    }

    private string InsertMove(int key) =>
        $"INSERT INTO loyalty_point_move (id, loyalty_card_id, initial_point, remaining_point, state, origin) VALUES ({key}, {Key(Cards)}, {random.Next(1000)}, {Version}, {State()}, {Origin()})";

    private string InsertHistory(int key) =>
        $"INSERT INTO loyalty_point_history (id, loyalty_card_id, point_move_id, points_amount, points_balance, origin) VALUES ({key}, {Key(Cards)}, {MoveOrNone()}, {random.Next(100)}, {Signed()}, {Origin()})";

    private string[] Rekey(string table, int kind, string version, int keys)
    {
        var (from, to) = (Key(keys), Key(keys));
        return [Lock(kind, to), $"UPDATE {table} SET id = {to}, {version} = {Version} WHERE id = {from}"];
    }

    private static string Swap(int a, int b) =>
        $"""
            DO $$ DECLARE a text; b text;
            BEGIN
                SELECT code INTO a FROM loyalty_card WHERE id = {a} FOR UPDATE;
                SELECT code INTO b FROM loyalty_card WHERE id = {b} FOR UPDATE;
                IF a IS NULL OR b IS NULL OR a = b THEN RETURN; END IF;
                UPDATE loyalty_card SET points = {Version}, code = 'swapping' WHERE id = {a};
                UPDATE loyalty_card SET points = {Version}, code = a WHERE id = {b};
                UPDATE loyalty_card SET points = {Version}, code = b WHERE id = {a};
            END $$
            """;

    /// <summary>Taken before a statement that gives a key a new row: it draws its version before it waits for the key's former row to be gone.</summary>
    private static string Lock(int kind, int key) => $"SELECT pg_advisory_xact_lock({kind}, {key})";

    private int Key(int count) => 1 + random.Next(count);

    private string Code() => Chance(7) ? "''" : string.Create(CultureInfo.InvariantCulture, $"' code-{random.Next(1_000_000)} '");

    private string Partner() => Chance(30) ? "NULL" : Key(5).ToString(CultureInfo.InvariantCulture);

    private string MoveOrNone() => Chance(50) ? "NULL" : Key(Rows).ToString(CultureInfo.InvariantCulture);

    /// <summary>Negative points break a rule.</summary>
    private string Signed() => Chance(12) ? "-" + Version : Version;

    private string State() =>
        Chance(8) ? "'odd'"
        : Chance(50) ? "'active'"
        : "'depleted'";

    /// <summary>Every second one is so large, and so hard to compress, that it is stored out of line.</summary>
    private string Origin()
    {
        if (Chance(15))
            return "NULL";
        if (Chance(50))
            return string.Create(CultureInfo.InvariantCulture, $"'origin {random.Next(1000)}'");
        return "'"
            + string.Create(
                    random.Next(2500, 6000),
                    random,
                    (text, r) =>
                    {
                        for (var i = 0; i < text.Length; i++)
                            text[i] = (char)('0' + r.Next(64));
                    }
                )
                .Replace('\\', '!')
            + "'";
    }
}
