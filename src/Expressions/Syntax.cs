namespace Cdc.Expressions;

/// <summary>An expression as it was written, before names and types are looked up.</summary>
/// <param name="Position">Character of the text, from 0.</param>
internal abstract record Syntax(int Position);

internal sealed record NameSyntax(int Position, string Name) : Syntax(Position);

internal sealed record NumberSyntax(int Position, string Text) : Syntax(Position);

/// <param name="Text">Null for NULL.</param>
internal sealed record LiteralSyntax(int Position, string? Text) : Syntax(Position);

internal sealed record TruthSyntax(int Position, bool Value) : Syntax(Position);

internal sealed record NegateSyntax(int Position, Syntax Operand) : Syntax(Position);

internal sealed record NotSyntax(int Position, Syntax Operand) : Syntax(Position);

internal sealed record LogicSyntax(int Position, bool IsAnd, Syntax Left, Syntax Right) : Syntax(Position);

internal sealed record CompareSyntax(int Position, string Operator, Syntax Left, Syntax Right) : Syntax(Position);

/// <param name="Operator">+, -, *, -> or ->>.</param>
internal sealed record OperatorSyntax(int Position, string Operator, Syntax Left, Syntax Right) : Syntax(Position);

internal sealed record IsNullSyntax(int Position, Syntax Operand, bool Negated) : Syntax(Position);

internal sealed record DistinctSyntax(int Position, Syntax Left, Syntax Right, bool Negated) : Syntax(Position);

internal sealed record InSyntax(int Position, Syntax Operand, IReadOnlyList<Syntax> Items, bool Negated) : Syntax(Position);

internal sealed record CastSyntax(int Position, Syntax Operand, string TypeName) : Syntax(Position);

internal sealed record CollateSyntax(int Position, Syntax Operand, string Collation) : Syntax(Position);

internal sealed record TimeZoneSyntax(int Position, Syntax Operand, string Zone) : Syntax(Position);

internal sealed record CallSyntax(int Position, string Function, IReadOnlyList<Syntax> Arguments) : Syntax(Position);

internal sealed record CaseSyntax(int Position, IReadOnlyList<(Syntax When, Syntax Then)> Branches, Syntax? Else) : Syntax(Position);
