using System.Text.RegularExpressions;
using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Orm;
using Cdc.Tests.Support.Odoo.Python;
using Npgsql;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>Actions with a body of Python: who may run them, and what becomes of what a body throws.</summary>
internal static partial class ServerActions
{
    public static async Task<List<long>> CreateAsync(OdooEnvironment env, ModelRecords records, IReadOnlyList<PyDict> all)
    {
        env.Check(records.Model, Operation.Create);
        foreach (var values in all)
            CheckBody(values);
        return await records.CreateAsync(all);
    }

    /// <summary>Odoo compiles a body when it is saved: imports and <c>with</c> are forbidden.</summary>
    public static void CheckBody(PyDict values)
    {
        if (values.GetValueOrDefault("code") is not string code)
            return;
        if (Import().IsMatch(code))
            throw OdooError.Validation($"forbidden opcode(s) in {PyRepr.Of(code)}: IMPORT_NAME");
        if (With().IsMatch(code))
            throw OdooError.Validation($"forbidden opcode(s) in {PyRepr.Of(code)}: BEFORE_WITH, WITH_EXCEPT_START");
    }

    /// <returns>The <c>action</c> that the body has left, or false.</returns>
    public static async Task<object?> RunAsync(OdooEnvironment env, IReadOnlyList<long> ids)
    {
        object? answer = false;
        foreach (var id in ids)
        {
            var row = (
                await env.RowsAsync("SELECT s.code, m.model FROM ir_act_server s JOIN ir_model m ON m.id = s.model_id WHERE s.id = $1", id)
            ).FirstOrDefault();
            if (row is null)
                throw OdooError.Missing("ir.actions.server", [id], env.Uid);
            await CheckMayRunAsync(env, id, (string)row[1]!);
            answer = await EvaluateAsync(env, row[0] as string ?? "");
        }
        return answer;
    }

    private static async Task CheckMayRunAsync(OdooEnvironment env, long action, string modelName)
    {
        var groups = await env.RowsAsync("SELECT gid FROM ir_act_server_group_rel WHERE act_id = $1", action);
        if (groups.Count > 0)
        {
            if (!groups.Exists(g => env.User.Groups.Contains((int)g[0]!)))
                throw OdooError.Access("You don't have enough access rights to run this action.");
        }
        // 19 looks as superuser: only with a record that is named it asks about the user.
        else if (
            env.Models.Major < 19
            || (env.Context.GetValueOrDefault("active_id") is long && env.Context.GetValueOrDefault("active_model") is string)
        )
            env.Check(await env.ModelAsync(modelName), Operation.Write);
    }

    private static async Task<object?> EvaluateAsync(OdooEnvironment env, string code)
    {
        if (KnownBodies.IsDeleting(code))
        {
            await (await ModelRecords.OfAsync(env.Sudo(), "loyalty.card")).UnlinkAsync(
                Http.ModelCall.ToIds(env.Context.GetValueOrDefault("cdc_gone"))
            );
            return false;
        }
        var action = KnownBodies.IsApplyChanges(code) ? new ApplyChanges(env) : null;
        PyDict answer;
        try
        {
            if (action is null)
                throw new PyError("NotImplementedError", "the stand-in knows no such body: give it to KnownBodies");
            answer = await action.RunAsync();
        }
        catch (PyError e)
        {
            throw Evaluating(env, e.Repr, $"<class '{e.Type}'>", e.Message, code);
        }
        catch (OdooError e) when (!e.IsUserError)
        {
            throw Evaluating(env, $"ValueError({PyRepr.Of(e.Message)})", "<class 'ValueError'>", e.Message, code);
        }
        catch (PostgresException e) when (!e.IsOperational())
        {
            var text = e.Text(action!.LastSql);
            throw Evaluating(env, $"{e.ClassName()}({PyRepr.Of(text)})", $"<class 'psycopg2.errors.{e.ClassName()}'>", text, code);
        }
        // What the ORM had put off is written behind the body, and fails in Odoo's own words.
        await action.FlushAsync();
        return answer;
    }

    private static OdooError Evaluating(OdooEnvironment env, string repr, string type, string text, string code) =>
        OdooError.Value($"{(env.Models.Major >= 19 ? repr : $"{type}: \"{text}\"")} while evaluating\n{PyRepr.Of(code)}");

    [GeneratedRegex(@"^\s*(import|from)\s", RegexOptions.Multiline)]
    private static partial Regex Import();

    [GeneratedRegex(@"^\s*with\s", RegexOptions.Multiline)]
    private static partial Regex With();
}
