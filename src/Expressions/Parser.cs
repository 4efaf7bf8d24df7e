using Cdc.Core.Postgres.Values;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions;

/// <summary>A Pratt parser with PostgreSQL's precedences, so that a text means here what it means there.</summary>
internal sealed class Parser(List<Token> tokens)
{
    // From gram.y, loosest first. Comparison and IS do not associate: a = b = c is an error there too.
    private const int Or = 1,
        And = 2,
        Not = 3,
        Is = 4,
        Comparison = 5,
        In = 6,
        Other = 7,
        Sum = 8,
        Product = 9,
        AtTimeZone = 10,
        Collate = 11,
        Minus = 12,
        Cast = 13;
    private const int MaxDepth = 100;

    private static readonly HashSet<string> Keywords =
    [
        "and",
        "or",
        "not",
        "is",
        "in",
        "null",
        "true",
        "false",
        "case",
        "when",
        "then",
        "else",
        "end",
        "distinct",
        "from",
        "collate",
    ];

    private int _at;
    private int _depth;

    public static Syntax Parse(string text)
    {
        var parser = new Parser(Tokenizer.Read(text));
        var syntax = parser.Expression(0);
        if (parser.Current.Kind != TokenKind.End)
            throw parser.Unexpected("the end");
        return syntax;
    }

    private Token Current => tokens[_at];

    private Token Take() => tokens[_at++];

    private Syntax Expression(int minimum)
    {
        if (++_depth > MaxDepth)
            throw new ExpressionException(
                "expression-syntax",
                Current.Position,
                "the expression is nested too deeply",
                $"At most {MaxDepth} levels."
            );
        var left = Prefix();
        var limit = int.MaxValue;
        while (InfixPower() is var power && power > 0 && power > minimum && power <= limit)
        {
            var associates = power is not (Is or Comparison or In);
            left = Infix(left, power);
            limit = associates ? power : power - 1;
        }
        _depth--;
        return left;
    }

    private int InfixPower()
    {
        var token = Current;
        if (token.Kind == TokenKind.Symbol)
            return token.Text switch
            {
                "::" => Cast,
                "=" or "<>" or "!=" or "<" or "<=" or ">" or ">=" => Comparison,
                "->" or "->>" => Other,
                "+" or "-" => Sum,
                "*" => Product,
                _ => 0,
            };
        if (token.Kind != TokenKind.Word)
            return 0;
        return token.Text switch
        {
            "or" => Or,
            "and" => And,
            "is" => Is,
            "in" or "not" => In,
            "at" => AtTimeZone,
            "collate" => Collate,
            _ => 0,
        };
    }

    private Syntax Infix(Syntax left, int power)
    {
        var token = Take();
        return power switch
        {
            Or or And => new LogicSyntax(token.Position, power == And, left, Expression(power)),
            Comparison => new CompareSyntax(token.Position, token.Text == "!=" ? "<>" : token.Text, left, Expression(Comparison)),
            Is => IsTest(left, token),
            In => InList(left, token),
            AtTimeZone => TimeZone(left, token),
            Collate => Collation(left, token),
            Other or Sum or Product => new OperatorSyntax(token.Position, token.Text, left, Expression(power)),
            _ => new CastSyntax(token.Position, left, TypeName()),
        };
    }

    private Syntax Prefix()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TokenKind.Integer or TokenKind.Decimal:
                return new NumberSyntax(token.Position, token.Text);
            case TokenKind.String:
                return new LiteralSyntax(token.Position, token.Text);
            case TokenKind.QuotedName:
                return new NameSyntax(token.Position, token.Text);
            case TokenKind.Symbol when token.Text == "-":
                return Negative(token, Expression(Minus));
            case TokenKind.Symbol when token.Text == "(":
                var inner = Expression(0);
                Expect(")");
                return inner;
            case TokenKind.Word:
                return Word(token);
            default:
                _at--;
                throw Unexpected("a value");
        }
    }

    /// <summary>A number behind a sign is one literal, and so are two signs: PostgreSQL looks for its type after that.</summary>
    private static Syntax Negative(Token sign, Syntax operand) =>
        operand is NumberSyntax number
            ? new NumberSyntax(sign.Position, number.Text.StartsWith('-') ? number.Text[1..] : "-" + number.Text)
            : new NegateSyntax(sign.Position, operand);

    private Syntax Word(Token token)
    {
        switch (token.Text)
        {
            case "null":
                return new LiteralSyntax(token.Position, null);
            case "true" or "false":
                return new TruthSyntax(token.Position, token.Text == "true");
            case "not":
                return new NotSyntax(token.Position, Expression(Not - 1));
            case "case":
                return Case(token);
        }
        if (Keywords.Contains(token.Text))
        {
            _at--;
            throw Unexpected("a value");
        }
        return Current.Is("(") ? Call(token) : new NameSyntax(token.Position, token.Text);
    }

    private CallSyntax Call(Token name)
    {
        Expect("(");
        var arguments = Current.Is(")") ? [] : List();
        Expect(")");
        return new CallSyntax(name.Position, name.Text, arguments);
    }

    private List<Syntax> List()
    {
        var items = new List<Syntax> { Expression(0) };
        while (Current.Is(","))
        {
            _at++;
            items.Add(Expression(0));
        }
        return items;
    }

    private CaseSyntax Case(Token start)
    {
        var branches = new List<(Syntax, Syntax)>();
        do
        {
            Expect("when");
            var when = Expression(0);
            Expect("then");
            branches.Add((when, Expression(0)));
        } while (Current.Is("when"));
        Syntax? otherwise = null;
        if (Current.Is("else"))
        {
            _at++;
            otherwise = Expression(0);
        }
        Expect("end");
        return new CaseSyntax(start.Position, branches, otherwise);
    }

    private Syntax IsTest(Syntax left, Token token)
    {
        var negated = Optional("not");
        if (Optional("null"))
            return new IsNullSyntax(token.Position, left, negated);
        if (!Current.Is("distinct"))
            throw Unexpected("NULL or DISTINCT FROM");
        Expect("distinct");
        Expect("from");
        return new DistinctSyntax(token.Position, left, Expression(Is), negated);
    }

    private InSyntax InList(Syntax left, Token token)
    {
        var negated = token.Text == "not";
        if (negated)
            Expect("in");
        Expect("(");
        var items = List();
        Expect(")");
        return new InSyntax(token.Position, left, items, negated);
    }

    private TimeZoneSyntax TimeZone(Syntax left, Token token)
    {
        Expect("time");
        Expect("zone");
        if (Current.Kind != TokenKind.String)
            throw Unexpected("'UTC'");
        return new TimeZoneSyntax(token.Position, left, Take().Text);
    }

    private CollateSyntax Collation(Syntax left, Token token)
    {
        if (Current.Kind is not (TokenKind.QuotedName or TokenKind.Word))
            throw Unexpected("\"C\"");
        return new CollateSyntax(token.Position, left, Take().Text);
    }

    private string TypeName()
    {
        if (Current.Kind != TokenKind.Word)
            throw Unexpected("a type");
        var name = Take().Text;
        while (Current is { Kind: TokenKind.Word, Text: "precision" or "varying" or "with" or "without" or "time" or "zone" })
            name += " " + Take().Text;
        return Current.Is("(") ? name + Modifiers() : name;
    }

    private string Modifiers()
    {
        Expect("(");
        var text = "(";
        while (Current.Kind == TokenKind.Integer || Current.Is(","))
            text += Take().Text;
        Expect(")");
        return text + ")";
    }

    private bool Optional(string word)
    {
        if (!Current.Is(word))
            return false;
        _at++;
        return true;
    }

    private void Expect(string symbolOrWord)
    {
        if (!Optional(symbolOrWord))
            throw Unexpected(symbolOrWord.ToUpperInvariant());
    }

    private ExpressionException Unexpected(string expected) =>
        new(
            "expression-syntax",
            Current.Position,
            $"{Current} stands where {expected} was expected",
            $"Supported: {Supported.Operators}; functions: {Supported.Functions}."
        );
}
