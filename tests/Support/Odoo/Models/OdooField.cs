namespace Cdc.Tests.Support.Odoo.Models;

internal enum FieldType
{
    Char,
    Text,
    Integer,
    Float,
    Boolean,
    Date,
    DateTime,
    Many2One,
    Many2Many,
    One2Many,
}

/// <summary>A field as <c>fields_get</c> has it.</summary>
/// <param name="Label">What people read.</param>
internal sealed record OdooField(string Name, string Label, FieldType Type)
{
    /// <summary>The model that a relation leads to.</summary>
    public string? Relation { get; init; }

    public bool Required { get; init; }

    public bool Readonly { get; init; }

    /// <summary>The column is jsonb with a text for each language.</summary>
    public bool IsTranslated { get; init; }

    /// <summary>Of many-to-many: table, our column, the other's. Of one-to-many: the other's field.</summary>
    public (string Table, string Own, string Other) Through { get; init; }

    /// <summary>A manual one, made over the API.</summary>
    public bool IsManual { get; init; }

    public bool IsColumn => Type is not (FieldType.Many2Many or FieldType.One2Many);

    /// <summary>Odoo's word.</summary>
    public string TypeName => Type.ToString().ToLowerInvariant();

    /// <summary>What the ORM makes the column.</summary>
    public string SqlType =>
        Type switch
        {
            FieldType.Integer or FieldType.Many2One => "int4",
            FieldType.Float => "double precision",
            FieldType.Boolean => "bool",
            FieldType.Date => "date",
            FieldType.DateTime => "timestamp",
            FieldType.Text => "text",
            _ => "varchar",
        };
}
