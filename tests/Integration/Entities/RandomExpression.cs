using Cdc.Expressions.Nodes;
using FsCheck;
using FsCheck.Fluent;

namespace Cdc.Tests.Integration.Entities;

/// <summary>Expressions over the columns of <see cref="ExpressionOracleTests"/>, of every construct, mostly of matching types.</summary>
internal static class RandomExpression
{
    public static Gen<string> Any { get; } = Gen.OneOf(Boolean(3), Numeric(3), Text(3), Integer(2), Float(2), Moment(1), Json(2));

    private static Gen<string> Pick(params string[] texts) => Gen.Elements(texts);

    private static Gen<string> Numeric(int depth) =>
        depth == 0
            ? Pick(
                "amount",
                "points::numeric",
                "p4::numeric",
                "1.005",
                "-0.5",
                "12345678901234567890.5",
                "'NaN'::numeric",
                "'-Infinity'::numeric",
                "id::numeric",
                "1e20",
                "nf::numeric",
                "n4::numeric",
                "nn::numeric",
                "ni::numeric",
                "figure::numeric",
                "(doc ->> 'n')::numeric"
            )
            : Gen.OneOf(
                Numeric(0),
                from a in Numeric(depth - 1)
                from o in Pick("+", "-", "*")
                from b in Gen.OneOf(Numeric(depth - 1), Integer(0))
                select $"({a} {o} {b})",
                from f in Pick("greatest", "least")
                from a in Numeric(depth - 1)
                from b in Numeric(depth - 1)
                select $"{f}({a}, {b}, 1.50)",
                from a in Float(depth - 1)
                select $"({a})::numeric",
                from a in Numeric(depth - 1)
                from n in Gen.Choose(-3, 5)
                select $"round({a}, {n})",
                from a in Numeric(depth - 1)
                select $"round({a})",
                from a in Numeric(depth - 1)
                select $"abs({a})",
                from a in Numeric(depth - 1)
                select $"(- {a})",
                from a in Numeric(depth - 1)
                from t in Pick("numeric(18,2)", "numeric(5,3)", "numeric", "numeric(40)")
                select $"({a})::{t}",
                from a in Numeric(depth - 1)
                from b in Numeric(depth - 1)
                select $"coalesce({a}, {b}, 0)",
                from a in Numeric(depth - 1)
                from b in Numeric(depth - 1)
                select $"nullif({a}, {b})",
                from c in Boolean(depth - 1)
                from a in Numeric(depth - 1)
                from b in Numeric(depth - 1)
                select $"CASE WHEN {c} THEN {a} ELSE {b} END"
            );

    private static Gen<string> Float(int depth) =>
        depth == 0
            ? Pick(
                "points",
                "p4",
                "points::float8",
                "p4::float8",
                "'NaN'::float8",
                "'-0'::float8",
                "0.1::float8",
                "amount::float8",
                "id8::float8",
                "nf::numeric::float8",
                "nn::numeric::float8",
                "figure::float8"
            )
            : Gen.OneOf(
                Float(0),
                from a in Float(depth - 1)
                from o in Pick("+", "-", "*")
                from b in Gen.OneOf(Float(depth - 1), Integer(0), Numeric(0))
                select $"({a} {o} {b})",
                from f in Pick("greatest", "least")
                from a in Float(depth - 1)
                from b in Float(depth - 1)
                select $"{f}({a}, {b})",
                from a in Float(depth - 1)
                select $"round(({a})::float8)",
                from a in Float(depth - 1)
                select $"abs({a})",
                from a in Float(depth - 1)
                select $"(- {a})",
                from a in Float(depth - 1)
                from b in Float(depth - 1)
                select $"coalesce({a}, {b})",
                from a in Float(depth - 1)
                from b in Float(depth - 1)
                select $"nullif({a}, {b})"
            );

    private static Gen<string> Integer(int depth) =>
        depth == 0
            ? Pick(
                "id",
                "id8",
                "id2",
                "0",
                "-1",
                "2147483648",
                "id::bigint",
                "length(code)",
                "points::bigint",
                "amount::integer",
                "p4::int2",
                "-2147483648",
                "figure::int4",
                "(doc ->> 'i')::int8"
            )
            : Gen.OneOf(
                Integer(0),
                from a in Integer(depth - 1)
                from o in Pick("+", "-", "*")
                from b in Integer(depth - 1)
                select $"({a} {o} {b})",
                from a in Integer(depth - 1)
                from o in Pick("+", "-", "*")
                from b in Integer(0)
                from p in Pick("+", "-", "*")
                from c in Integer(0)
                select $"({a}) {o} {b} {p} {c}",
                from f in Pick("greatest", "least")
                from a in Integer(depth - 1)
                from b in Integer(depth - 1)
                select $"{f}({a}, {b})",
                from a in Integer(depth - 1)
                select $"(- ({a}))",
                from a in Integer(depth - 1)
                from t in Pick("int2", "int4", "bigint")
                select $"({a})::{t}",
                from a in Integer(depth - 1)
                select $"abs(({a})::bigint)",
                from a in Integer(depth - 1)
                select $"(- ({a})::int4)",
                from a in Integer(depth - 1)
                from b in Integer(depth - 1)
                select $"coalesce({a}, {b})",
                from a in Integer(depth - 1)
                from b in Integer(depth - 1)
                select $"nullif({a}, {b})",
                from a in Text(depth - 1)
                select $"length({a})",
                from c in Boolean(depth - 1)
                from a in Integer(depth - 1)
                select $"CASE WHEN {c} THEN {a} END"
            );

    private static Gen<string> Text(int depth) =>
        depth == 0
            ? Pick(
                "code",
                "name",
                "'abc'",
                "E'\\t x'",
                "''",
                "id::text",
                "amount::text",
                "active::text",
                "'straße'::text",
                "E'\\u00A0'",
                "'it''s'",
                "code COLLATE \"C\"",
                "id8::varchar",
                "doc ->> 'n'",
                "doc ->> 's'",
                "doc ->> code",
                "doc -> 'o' ->> 'k'"
            )
            : Gen.OneOf(
                Text(0),
                from a in Json(depth - 1)
                from b in Text(depth - 1)
                select $"({a} ->> ({b}))",
                from a in Json(depth - 1)
                select $"({a})::text",
                from f in Pick("greatest", "least")
                from a in Text(depth - 1)
                from b in Text(depth - 1)
                select $"{f}(({a}) COLLATE \"C\", {b})",
                from f in Pick("upper", "lower")
                from a in Text(depth - 1)
                select $"{f}(({a}) COLLATE \"C\")",
                from f in Pick("btrim", "ltrim", "rtrim")
                from a in Text(depth - 1)
                select $"{f}({a})",
                from f in Pick("btrim", "ltrim", "rtrim")
                from a in Text(depth - 1)
                from c in Pick("E' \\t\\n\\r\\f\\x0B'", "'xé'", "E'\\u00A0 \\u3000'", "'vA'", "''")
                select $"{f}({a}, {c})",
                from a in Text(depth - 1)
                from b in Text(depth - 1)
                select $"coalesce({a}, {b})",
                from a in Text(depth - 1)
                from b in Text(depth - 1)
                select $"nullif({a}, {b})",
                from c in Boolean(depth - 1)
                from a in Text(depth - 1)
                from b in Text(depth - 1)
                select $"CASE WHEN {c} THEN {a} WHEN active THEN NULL ELSE {b} END"
            );

    private static Gen<string> Json(int depth) =>
        depth <= 0
            ? Pick("doc", "doc -> 'o'", "doc -> 'n'", "raw::jsonb", "'{\"n\": 1.0, \"o\": [2, \"a\", null], \"n\": 1.00}'::jsonb")
            : Gen.OneOf(
                Json(0),
                from a in Json(depth - 1)
                from k in Pick("'n'", "'o'", "'k'", "code", "id::text")
                select $"({a} -> {k})",
                from a in Json(depth - 1)
                from b in Json(depth - 1)
                select $"coalesce({a}, {b}, '{{}}')",
                from a in Json(depth - 1)
                from b in Json(depth - 1)
                select $"nullif({a}, {b})",
                from c in Boolean(depth - 1)
                from a in Json(depth - 1)
                from b in Json(depth - 1)
                select $"CASE WHEN {c} THEN {a} ELSE {b} END"
            );

    private static Gen<string> Moment(int depth) =>
        depth == 0
            ? Pick("at", "atz", "day", "at AT TIME ZONE 'UTC'", "atz AT TIME ZONE 'UTC'")
            : Gen.OneOf(
                Moment(0),
                Pick(
                    "coalesce(at, 'infinity')",
                    "nullif(day, '2000-01-01')",
                    "coalesce(at AT TIME ZONE 'UTC', '2026-01-31 12:00:00+00')",
                    "nullif(atz, '-infinity')",
                    "greatest(day, '2000-01-01')",
                    "least(at, atz AT TIME ZONE 'UTC')"
                )
            );

    private static Gen<string> Boolean(int depth) =>
        depth == 0
            ? Pick("active", "TRUE", "false", "NULL", "points > 0", "id IS NULL", "code <> ''")
            : Gen.OneOf(
                from a in Boolean(depth - 1)
                from o in Pick("AND", "OR")
                from b in Boolean(depth - 1)
                select $"({a} {o} {b})",
                from a in Boolean(depth - 1)
                select $"NOT ({a})",
                from a in Boolean(depth - 1)
                from b in Boolean(depth - 1)
                from c in Boolean(depth - 1)
                select $"{a} OR {b} AND NOT {c}",
                Comparison(Numeric(depth - 1), Gen.OneOf(Numeric(depth - 1), Integer(0))),
                Comparison(Float(depth - 1), Gen.OneOf(Float(depth - 1), Numeric(0), Integer(0))),
                Comparison(Integer(depth - 1), Gen.OneOf(Integer(depth - 1), Numeric(0))),
                Comparison(from t in Text(depth - 1) select $"({t}) COLLATE \"C\"", Text(depth - 1)),
                Comparison(Pick("at"), Pick("at", "'2026-11-21'", "'infinity'", "'1999-12-31 23:59:59.999999'", "atz AT TIME ZONE 'UTC'")),
                Comparison(Pick("day"), Pick("'infinity'", "'2000-01-01'", "day")),
                from a in Json(1)
                from o in Pick("=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
                from b in Json(1)
                select $"{a} {o} {b}",
                from a in Json(1)
                select $"({a}) IN ('{{}}', '1.0', '{{\"n\": 1.1000}}')",
                Pick("figure::boolean", "(doc ->> 'b')::boolean"),
                from a in Gen.OneOf(Numeric(1), Text(1), Integer(1), Float(1), Moment(1), Json(1))
                from n in Pick("", " NOT")
                select $"({a}) IS{n} NULL",
                from a in Gen.OneOf(Numeric(1), Float(1), Pick("points", "p4"))
                from n in Pick("", "NOT ")
                from l in Pick("'NaN', 'Infinity', '-Infinity'", "0, 0.5", "NULL, 1", "1e16, 'NaN'")
                select $"({a}) {n}IN ({l})",
                from a in Integer(1)
                from n in Pick("", "NOT ")
                from l in Pick("0, 7", "1, NULL", "2147483648, -1", "0.5, 40000")
                select $"({a}) {n}IN ({l})",
                from a in Text(1)
                from n in Pick("", "NOT ")
                from l in Pick("'', 'abc'", "'v', NULL", "'true'")
                select $"({a}) {n}IN ({l})"
            );

    private static Gen<string> Comparison(Gen<string> left, Gen<string> right) =>
        from a in left
        from o in Pick("=", "<>", "!=", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
        from b in right
        select $"({a}) {o} ({b})";
}
