namespace Cdc.Expressions;

/// <summary>An expression of the declaration is wrong.</summary>
/// <param name="position">Character of the expression's text, from 0.</param>
internal sealed class ExpressionException(string code, int position, string message, string remedy) : Exception(message)
{
    public string Code { get; } = code;
    public int Position { get; } = position;
    public string Remedy { get; } = remedy;
}

/// <summary>An expression has no value for this row where PostgreSQL would raise an error, such as a cast out of range.</summary>
internal sealed class EvaluationException(string message) : Exception(message);
