using System.Globalization;
using System.Text;

namespace Cdc.Tests.Support.Odoo.Models;

/// <summary>
/// The tables of Odoo's <c>base</c> that the API reads and writes, beside those of schemas/odoo, and their first rows: an administrator
/// (id 2, login admin), the groups, models and fields.
/// </summary>
internal static class SystemTables
{
    public const int Administrator = 2;

    /// <summary>Columns that the ORM gives every table.</summary>
    private const string Log = "create_uid int4, write_uid int4, create_date timestamp, write_date timestamp";

    private static readonly string Tables = $"""
        CREATE TABLE res_users (id serial PRIMARY KEY, partner_id int4, name varchar, login varchar NOT NULL CONSTRAINT res_users_login_key UNIQUE,
            password varchar, active bool, tz varchar, lang varchar, {Log});
        CREATE TABLE res_groups (id serial PRIMARY KEY, name jsonb NOT NULL, {Log});
        CREATE TABLE res_groups_users_rel (gid int4 NOT NULL REFERENCES res_groups ON DELETE CASCADE, uid int4 NOT NULL REFERENCES res_users ON DELETE CASCADE, PRIMARY KEY (gid, uid));
        CREATE TABLE res_users_apikeys (id serial PRIMARY KEY, name varchar NOT NULL, user_id int4 NOT NULL REFERENCES res_users ON DELETE CASCADE,
            scope varchar, expiration_date timestamp, key varchar NOT NULL, {Log});
        CREATE TABLE ir_model (id serial PRIMARY KEY, name jsonb, model varchar NOT NULL UNIQUE, state varchar, {Log});
        CREATE TABLE ir_model_fields (id serial PRIMARY KEY, model_id int4 NOT NULL REFERENCES ir_model ON DELETE CASCADE, name varchar NOT NULL,
            model varchar NOT NULL, field_description jsonb, ttype varchar NOT NULL, relation varchar, state varchar, index bool, store bool,
            copied bool, readonly bool, required bool, translate bool, {Log}, CONSTRAINT ir_model_fields_name_unique UNIQUE (model, name));
        CREATE TABLE ir_model_fields_group_rel (field_id int4 NOT NULL REFERENCES ir_model_fields ON DELETE CASCADE, group_id int4 NOT NULL REFERENCES res_groups ON DELETE CASCADE, PRIMARY KEY (field_id, group_id));
        CREATE TABLE ir_model_data (id serial PRIMARY KEY, create_uid int4, write_uid int4, res_id int4, name varchar NOT NULL, model varchar NOT NULL, module varchar NOT NULL,
            noupdate bool, create_date timestamp, write_date timestamp, CONSTRAINT ir_model_data_name_nospaces CHECK (name NOT LIKE '% %'));
        CREATE UNIQUE INDEX ir_model_data_module_name_uniq_index ON ir_model_data (module, name);
        CREATE INDEX ir_model_data_model_res_id_index ON ir_model_data (model, res_id);
        CREATE TABLE ir_config_parameter (id serial PRIMARY KEY, key varchar NOT NULL CONSTRAINT ir_config_parameter_key_uniq UNIQUE, value text NOT NULL, {Log});
        CREATE TABLE ir_act_server (id serial PRIMARY KEY, model_id int4 NOT NULL REFERENCES ir_model ON DELETE CASCADE, name jsonb NOT NULL, state varchar, code text, {Log});
        CREATE TABLE ir_act_server_group_rel (act_id int4 NOT NULL REFERENCES ir_act_server ON DELETE CASCADE, gid int4 NOT NULL REFERENCES res_groups ON DELETE CASCADE, PRIMARY KEY (act_id, gid));
        CREATE TABLE ir_module_module (id serial PRIMARY KEY, name varchar NOT NULL UNIQUE, state varchar, latest_version varchar, {Log});

        """;

    public static string Sql(OdooModels models)
    {
        var sql = new StringBuilder(Tables);
        void Add(FormattableString line) => sql.AppendLine(line.ToString(CultureInfo.InvariantCulture));
        foreach (var (id, module, name, shown) in OdooGroups.All(models.Major))
        {
            Add($"INSERT INTO res_groups (id, name) VALUES ({id}, jsonb_build_object('en_US', '{shown}'));");
            Add(
                $"INSERT INTO ir_model_data (module, name, model, res_id, noupdate) VALUES ('{module}', '{name}', 'res.groups', {id}, true);"
            );
        }
        // Far from the rows of a test, which has its own ids.
        Add($"INSERT INTO res_partner (id, name, active) VALUES (1000001, 'OdooBot', true), (1000002, 'Administrator', true);");
        Add(
            $"INSERT INTO res_users (id, partner_id, name, login, password, active, tz, lang) VALUES (1, 1000001, 'OdooBot', '__system__', NULL, false, NULL, 'en_US'), ({Administrator}, 1000002, 'Administrator', 'admin', 'admin', true, 'Europe/Brussels', 'en_US');"
        );
        Add($"INSERT INTO res_groups_users_rel (gid, uid) SELECT id, {Administrator} FROM res_groups WHERE id <> {OdooGroups.Portal};");
        Add(
            $"INSERT INTO ir_config_parameter (key, value) VALUES ('database.uuid', gen_random_uuid()::text), ('database.create_date', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'));"
        );
        foreach (var module in (string[])["base", "loyalty", "sale_loyalty", "pos_loyalty"])
            Add($"INSERT INTO ir_module_module (name, state, latest_version) VALUES ('{module}', 'installed', '{models.Major}.0.1.3');");
        foreach (var model in models.All)
        {
            Add(
                $"INSERT INTO ir_model (name, model, state) VALUES (jsonb_build_object('en_US', '{model.Description}'), '{model.Name}', 'base');"
            );
            foreach (var f in model.Fields.Values)
                Add(
                    $"INSERT INTO ir_model_fields (model_id, model, name, field_description, ttype, relation, state, store, copied, readonly, required, translate) SELECT id, model, '{f.Name}', jsonb_build_object('en_US', '{f.Label}'), '{f.TypeName}', {(f.Relation is null ? "NULL" : $"'{f.Relation}'")}, 'base', {f.IsColumn}, true, {f.Readonly}, {f.Required}, {f.IsTranslated} FROM ir_model WHERE model = '{model.Name}';"
                );
        }
        foreach (var table in (string[])["res_groups", "res_users"])
            Add($"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}) + 30);");
        return sql.ToString();
    }
}
