using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Expressions.Declaration;

/// <summary>Checks entities against each other: names, engine tables, parents.</summary>
internal sealed class EntityRelations(IReadOnlyList<ReadEntity> entities, Findings findings)
{
    public void Check()
    {
        CheckUnique(
            "declaration-duplicate",
            e => e.Name,
            e => e.Lines.Entity,
            "are called",
            "Names are what commands and tables use: give each its own."
        );
        CheckUnique(
            "declaration-engine-table",
            e => $"{e.Declaration.EngineSchema}.{e.Declaration.EngineTable}",
            e => e.Lines.EngineTable,
            "feed the engine table",
            "An engine table belongs to one entity: rows of the other would be swept away."
        );
        CheckServed();
        CheckReverse();
        foreach (var table in entities.GroupBy(e => (e.Declaration.SourceSchema, e.Declaration.SourceTable)))
            if (table.FirstOrDefault(e => !HaveOneKey(e.Declaration, table.First().Declaration)) is { } other)
                findings.Add(
                    "declaration-key",
                    other.Lines.Entity,
                    $"{table.First().Declaration.Name} and {other.Declaration.Name} read one table by different keys.",
                    $"Declare the same key in both, in the same order: {table.First().Declaration.SourceKey.Shown}."
                );
        foreach (var entity in entities.Where(e => !e.Declaration.HasId))
            CheckWithoutId(entity);
        foreach (var entity in entities)
        foreach (var parent in entity.Declaration.Parents)
            CheckParent(entity, parent);
        foreach (var entity in entities)
            CheckCycle(entity);
    }

    private void CheckUnique(string code, Func<NamedEntity, string> key, Func<NamedEntity, FileLine> line, string verb, string remedy)
    {
        foreach (var group in entities.Select(e => new NamedEntity(e)).Where(e => e.Name.Length > 0).GroupBy(key).Where(g => g.Count() > 1))
        foreach (var second in group.Skip(1))
            findings.Add(
                code,
                line(second),
                $"two entities {verb} \"{group.Key}\" (the first is in line {group.First().Lines.Entity.Number}{In(group.First().Lines.Entity, line(second))}).",
                remedy
            );
    }

    private void CheckServed()
    {
        // Two of one name are reported already.
        var roles = entities.Where(e => e.Declaration.Serves is not null).DistinctBy(e => e.Declaration.Name);
        foreach (var group in roles.GroupBy(e => e.Declaration.Serves!.Role).Where(g => g.Count() > 1))
            findings.Add(
                "declaration-serves",
                group.Last().Lines.Entity,
                $"{string.Join(" and ", group.Select(e => e.Declaration.Name))} both serve as {group.Key}.",
                "Answers are made of one entity: give \"serves\" to one of them, and to the other one another name."
            );
    }

    /// <summary>A row's owner is its card's, and cards are of one entity.</summary>
    private void CheckReverse()
    {
        var owned = entities.Where(e => e.Declaration.Reverse is not null).DistinctBy(e => e.Declaration.Name).ToList();
        var cards = owned.Where(e => e.Declaration.Reverse!.IsCard).ToList();
        foreach (var other in cards.Skip(1))
            findings.Add(
                "declaration-reverse",
                other.Lines.Reverse,
                $"{cards[0].Declaration.Name} and {other.Declaration.Name} both flow back to Odoo as cards.",
                $"Name in {other.Declaration.Name}'s \"reverse\" the column with its card: \"card\": \"loyalty_card_id\"."
            );
        foreach (var child in owned.Where(e => !e.Declaration.Reverse!.IsCard))
        {
            var declaration = child.Declaration;
            var column = declaration.Reverse!.CardColumn!;
            if (declaration.Parents.FirstOrDefault(p => p.Column == column) is not { } parent)
                findings.Add(
                    "declaration-reverse",
                    child.Lines.Reverse,
                    $"{declaration.Name}: \"card\" names \"{column}\", which is no parent of it.",
                    NearestName.Remedy(column, declaration.Parents.Select(p => p.Column), "Declare it in \"parents\", or use one of")
                );
            else if (cards.All(c => c.Declaration.Name != parent.Entity))
                findings.Add(
                    "declaration-reverse",
                    child.Lines.Reverse,
                    $"{declaration.Name} flows back to Odoo with its {parent.Entity}, which has no \"reverse\".",
                    $"Give {parent.Entity} a \"reverse\" without \"card\", or take {declaration.Name}'s out."
                );
        }
    }

    private static bool HaveOneKey(EntityDeclaration one, EntityDeclaration other) =>
        one.SourceKey.Shown == other.SourceKey.Shown && one.HashedKey is null == other.HashedKey is null;

    private static string Described(EntityDeclaration entity) =>
        entity.HashedKey is null ? "a key of two columns" : "a key that is known by a hash";

    /// <summary>What is looked up by an id of Odoo's has one.</summary>
    private void CheckWithoutId(ReadEntity entity)
    {
        var declaration = entity.Declaration;
        foreach (
            var (what, isWanted) in ((string, bool)[])
                [
                    ("serves", declaration.Serves is not null),
                    ("aggregate", declaration.Aggregate is not null),
                    ("reverse", declaration.Reverse is not null),
                ]
        )
            if (isWanted)
                findings.Add(
                    "declaration-key",
                    entity.Lines.Entity,
                    $"{declaration.Name} has {Described(declaration)} and \"{what}\".",
                    $"Take \"{what}\" out, or give the entity another name: answers and sums are made of rows with an id."
                );
    }

    /// <summary>The file, where it is another one.</summary>
    private static string In(FileLine line, FileLine from) => line.File == from.File ? "" : $" of {line.File}";

    private void CheckParent(ReadEntity child, ParentReference parent)
    {
        var declaration = child.Declaration;
        var line = child.Lines.Parents[parent.Column];
        var column = declaration.Columns.FirstOrDefault(c => c.Name == parent.Column);
        if (column is null)
            findings.Add(
                "declaration-parent",
                line,
                $"{declaration.Name}: the parent column \"{parent.Column}\" is not an engine column.",
                NearestName.Remedy(parent.Column, declaration.Columns.Select(c => c.Name), "Use one of")
            );
        else if (SqlTypeName.Parse(column.Type) is { } type && type != SqlType.BigInt)
            findings.Add(
                "declaration-parent",
                line,
                $"{declaration.Name}: the parent column \"{parent.Column}\" is {column.Type}.",
                "Declare it as bigint, like the parent's key."
            );
        if (entities.FirstOrDefault(e => e.Declaration.Name == parent.Entity)?.Declaration is { HasId: false } pair)
            findings.Add(
                "declaration-parent",
                line,
                $"{declaration.Name}: the parent \"{parent.Entity}\" has {Described(pair)}.",
                "Take the reference out: a parent is named by one id."
            );
        if (entities.All(e => e.Declaration.Name != parent.Entity))
            findings.Add(
                "declaration-parent",
                line,
                $"{declaration.Name}: the parent \"{parent.Entity}\" is not an entity.",
                NearestName.Remedy(parent.Entity, entities.Select(e => e.Declaration.Name), "Use one of")
            );
    }

    private void CheckCycle(ReadEntity start)
    {
        var path = new List<string> { start.Declaration.Name };
        if (!Returns(start.Declaration, start.Declaration.Name, path))
            return;
        // A cycle is reported once, where its first entity stands.
        if (path.Min(StringComparer.Ordinal) != start.Declaration.Name)
            return;
        findings.Add(
            "declaration-parent",
            start.Lines.Entity,
            $"the parents go in a circle: {string.Join(" -> ", path)}.",
            "A parent's row is applied without its children: take one of the references out."
        );
    }

    private bool Returns(EntityDeclaration at, string target, List<string> path)
    {
        foreach (var name in at.Parents.Select(p => p.Entity))
        {
            if (name == target)
            {
                path.Add(name);
                return true;
            }
            var parent = entities.FirstOrDefault(e => e.Declaration.Name == name)?.Declaration;
            if (parent is null || path.Contains(name))
                continue;
            path.Add(name);
            if (Returns(parent, target, path))
                return true;
            path.RemoveAt(path.Count - 1);
        }
        return false;
    }

    private sealed record NamedEntity(ReadEntity Read)
    {
        public string Name => Read.Declaration.Name;
        public EntityDeclaration Declaration => Read.Declaration;
        public EntityLines Lines => Read.Lines;
    }
}
