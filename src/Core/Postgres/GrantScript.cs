using System.Text;

namespace Cdc.Core.Postgres;

/// <summary>
/// SQL that gives roles what they need in one database. Every statement may be run again: what is there already stays as it is.
/// </summary>
/// <param name="roles">Those that are given the rights, by their plain names; at least one.</param>
public sealed class GrantScript(IReadOnlyList<string> roles)
{
    /// <summary>All privileges by which rows are read and written.</summary>
    public const string ReadAndWrite = "SELECT, INSERT, UPDATE, DELETE";

    private readonly StringBuilder _text = new();

    private string Grantees => string.Join(", ", roles.Select(Sql.Identifier));

    public override string ToString() => _text.ToString();

    public GrantScript Comment(string text)
    {
        foreach (var line in text.ReplaceLineEndings("\n").Split('\n'))
            _text.AppendLine($"-- {line}");
        return this;
    }

    /// <summary>The roles themselves, without passwords.</summary>
    public GrantScript Roles(bool replicate = false)
    {
        var attributes = replicate ? "LOGIN REPLICATION" : "LOGIN";
        var has = replicate ? "rolcanlogin AND rolreplication" : "rolcanlogin";
        foreach (var role in roles)
        {
            var (name, literal) = (Sql.Identifier(role), Sql.Literal(role));
            // Only what is missing: a role that may not make roles can still run the rest.
            Do(
                $"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal}) THEN CREATE ROLE {name} {attributes}; "
                    + $"ELSIF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal} AND {has}) THEN ALTER ROLE {name} {attributes}; END IF;"
            );
        }
        return this;
    }

    /// <summary>On the database in which the script runs.</summary>
    public GrantScript OnDatabase(string privileges) =>
        Do($"EXECUTE format('GRANT {privileges} ON DATABASE %I TO %s', current_database(), {Sql.Literal(Grantees)});");

    public GrantScript OnSchemas(string privileges, IEnumerable<string> schemas) =>
        Statement($"GRANT {privileges} ON SCHEMA {string.Join(", ", schemas.Distinct().Select(Sql.Identifier))} TO {Grantees}");

    /// <param name="tables">Their names as SQL.</param>
    public GrantScript OnTables(string privileges, IEnumerable<string> tables) =>
        Statement($"GRANT {privileges} ON {string.Join(", ", tables.Distinct())} TO {Grantees}");

    /// <param name="tables">Their names as SQL.</param>
    public GrantScript OnTablesIfThere(string privileges, IEnumerable<string> tables)
    {
        foreach (var table in tables)
            Do(
                $"IF to_regclass({Sql.Literal(table)}) IS NOT NULL THEN EXECUTE {Sql.Literal($"GRANT {privileges} ON {table} TO {Grantees}")}; END IF;"
            );
        return this;
    }

    public GrantScript OnAllTables(string privileges, string schema) =>
        Statement($"GRANT {privileges} ON ALL TABLES IN SCHEMA {Sql.Identifier(schema)} TO {Grantees}");

    /// <summary>Membership in a role that PostgreSQL brings.</summary>
    public GrantScript Membership(string role) => Statement($"GRANT {Sql.Identifier(role)} TO {Grantees}");

    /// <summary>Before PostgreSQL 15 that right cannot be given.</summary>
    public GrantScript OnParameter(string parameter) =>
        Do(
            $"IF current_setting('server_version_num')::int >= 150000 THEN EXECUTE {Sql.Literal($"GRANT SET ON PARAMETER {parameter} TO {Grantees}")}; END IF;"
        );

    public GrantScript Statement(string sql)
    {
        _text.AppendLine($"{sql};");
        return this;
    }

    /// <param name="body">Statements of PL/pgSQL, each with its semicolon.</param>
    /// <param name="declarations">Variables, each with its semicolon.</param>
    public GrantScript Do(string body, string declarations = "")
    {
        // A name may hold the mark that ends the body.
        var mark = "$cdc$";
        while (body.Contains(mark, StringComparison.Ordinal))
            mark = mark[..^1] + "_$";
        var declare = declarations.Length == 0 ? "" : $"DECLARE {declarations} ";
        return Statement($"DO {mark} {declare}BEGIN {body} END {mark}");
    }
}
