using static Cdc.Tests.Support.Odoo.Models.OdooGroups;

namespace Cdc.Tests.Support.Odoo.Models;

/// <summary>The models of one version that the stand-in knows, with the fields that somebody asks for.</summary>
internal sealed class OdooModels
{
    private static readonly int[] Tills = [PosManager, PosUser, SalesManager, SalesUser];
    private static readonly int[] Managers = [PosManager, SalesManager];
    private static readonly int[] Staff = [User];
    private static readonly int[] Administrators = [Settings];

    private static readonly OdooField[] Before = [F("id", "ID", FieldType.Integer) with { Readonly = true }];
    private static readonly OdooField[] Behind =
    [
        F("create_date", "Created on", FieldType.DateTime) with
        {
            Readonly = true,
        },
        F("write_date", "Last Updated on", FieldType.DateTime) with
        {
            Readonly = true,
        },
        Link("create_uid", "Created by", "res.users") with
        {
            Readonly = true,
        },
        Link("write_uid", "Last Updated by", "res.users") with
        {
            Readonly = true,
        },
    ];

    private readonly Dictionary<string, OdooModel> _byName;

    private OdooModels(int major, IEnumerable<OdooModel> models)
    {
        Major = major;
        _byName = models.ToDictionary(m => m.Name);
    }

    public int Major { get; }

    public IReadOnlyCollection<OdooModel> All => _byName.Values;

    /// <summary>The name of the field of a user's, or an action's, groups.</summary>
    public string GroupsField => GroupsOf(Major);

    public OdooModel? Find(string name) => _byName.GetValueOrDefault(name);

    public static OdooModels Of(int major) => new(major, [.. Loyalty(major), .. Base(major)]);

    private static IEnumerable<OdooModel> Loyalty(int major)
    {
        yield return Model(
            "loyalty.program",
            "Loyalty Program",
            "LoyaltyProgram",
            Rights(Tills, Managers, Managers, Managers),
            [
                F("name", "Program Name") with
                {
                    Required = true,
                    IsTranslated = true,
                },
                F("active", "Active", FieldType.Boolean),
                F("sequence", "Sequence", FieldType.Integer),
                F("company_id", "Company", FieldType.Integer),
                F("currency_id", "Currency", FieldType.Integer),
                F("program_type", "Program Type") with
                {
                    Required = true,
                },
                F("applies_on", "Applies On") with
                {
                    Required = true,
                },
                F("trigger", "Trigger"),
                F("date_to", "End date", FieldType.Date),
                F("portal_point_name", "Points Unit") with
                {
                    IsTranslated = true,
                },
                .. major >= 17 ? [F("date_from", "Start Date", FieldType.Date)] : Array.Empty<OdooField>(),
            ],
            ("active", true),
            ("currency_id", 1L),
            ("program_type", "loyalty"),
            ("applies_on", "both"),
            ("trigger", "auto")
        ) with
        {
            Order = "sequence",
        };
        yield return Model(
            "loyalty.card",
            "Loyalty Coupon",
            "LoyaltyCard",
            // Nobody may delete a card, the administrator neither.
            Rights(Tills, Tills, Tills, []),
            [
                Link("program_id", "Program", "loyalty.program"),
                Link("partner_id", "Partner", "res.partner"),
                F("company_id", "Company", FieldType.Integer) with
                {
                    Readonly = true,
                },
                F("code", "Code") with
                {
                    Required = true,
                },
                F("points", "Points", FieldType.Float),
                F("expiration_date", "Expiration Date", FieldType.Date),
                .. major >= 18
                    ?
                    [
                        F("active", "Active", FieldType.Boolean),
                        F("history_ids", "History", FieldType.One2Many) with
                        {
                            Relation = "loyalty.history",
                            Through = ("loyalty_history", "card_id", ""),
                        },
                    ]
                    : Array.Empty<OdooField>(),
            ],
            major >= 18 ? new (string, object?)[] { ("active", true) } : []
        );
        if (major >= 18)
            yield return Model(
                "loyalty.history",
                "History for Loyalty cards and Ewallets",
                "LoyaltyHistory",
                Rights(Tills, Tills, Tills, Managers),
                [
                    Link("card_id", "Card", "loyalty.card") with
                    {
                        Required = true,
                    },
                    F("description", "Description", FieldType.Text) with
                    {
                        Required = true,
                    },
                    F("issued", "Issued", FieldType.Float),
                    F("used", "Used", FieldType.Float),
                    F("order_model", "Order Model"),
                    F("order_id", "Order", FieldType.Integer),
                ]
            ) with
            {
                Order = "id desc",
            };
    }

    private static IEnumerable<OdooModel> Base(int major)
    {
        var admin = Rights(Administrators, Administrators, Administrators, Administrators);
        var groups = GroupsOf(major);
        yield return Model(
            "res.partner",
            "Contact",
            "ResPartner",
            Rights(Staff, Staff, Staff, Administrators),
            [F("name", "Name"), F("active", "Active", FieldType.Boolean), F("company_id", "Company", FieldType.Integer)],
            ("active", true)
        );
        yield return Model(
            "res.groups",
            "Access Groups",
            "ResGroups",
            admin,
            [
                F("name", "Name") with
                {
                    Required = true,
                    IsTranslated = true,
                },
                Many(major >= 19 ? "user_ids" : "users", "Users", "res.users", ("res_groups_users_rel", "gid", "uid")),
            ]
        );
        yield return Model(
            "res.users",
            "User",
            "ResUsers",
            Rights(Staff, Administrators, Administrators, Administrators),
            [
                F("name", "Name") with
                {
                    Required = true,
                },
                F("login", "Login") with
                {
                    Required = true,
                },
                F("password", "Password"),
                F("active", "Active", FieldType.Boolean),
                F("tz", "Timezone"),
                F("lang", "Language"),
                Link("partner_id", "Related Partner", "res.partner"),
                Many(groups, "Groups", "res.groups", ("res_groups_users_rel", "uid", "gid")),
            ],
            ("active", true),
            ("lang", "en_US")
        );
        yield return Model(
            "res.users.apikeys",
            "Users API Keys",
            "ResUsersApikeys",
            Rights(Staff, [], [], Staff),
            [
                F("name", "Description") with
                {
                    Required = true,
                },
                Link("user_id", "User", "res.users"),
                F("scope", "Scope"),
                .. major >= 18 ? [F("expiration_date", "Expiration Date", FieldType.DateTime)] : Array.Empty<OdooField>(),
            ]
        );
        yield return Model(
            "ir.model",
            "Models",
            "IrModel",
            admin,
            [F("name", "Model Description") with { IsTranslated = true }, F("model", "Model") with { Required = true }, F("state", "Type")]
        );
        yield return Model(
            "ir.model.fields",
            "Fields",
            "IrModelFields",
            Rights(Staff, Administrators, Administrators, Administrators),
            [
                F("name", "Field Name") with
                {
                    Required = true,
                },
                F("model", "Model Name"),
                Link("model_id", "Model", "ir.model") with
                {
                    Required = true,
                },
                F("field_description", "Field Label") with
                {
                    IsTranslated = true,
                },
                F("ttype", "Field Type") with
                {
                    Required = true,
                },
                F("relation", "Related Model"),
                F("state", "Type"),
                F("index", "Indexed", FieldType.Boolean),
                F("store", "Stored", FieldType.Boolean),
                F("copied", "Copied", FieldType.Boolean),
                F("readonly", "Readonly", FieldType.Boolean),
                F("required", "Required", FieldType.Boolean),
                F("translate", "Translatable", FieldType.Boolean),
                Many("groups", "Groups", "res.groups", ("ir_model_fields_group_rel", "field_id", "group_id")),
            ],
            ("state", "manual"),
            ("store", true),
            ("copied", true)
        );
        yield return Model(
            "ir.model.data",
            "Model Data",
            "IrModelData",
            admin,
            [
                F("module", "Module") with
                {
                    Required = true,
                },
                F("name", "External Identifier") with
                {
                    Required = true,
                },
                F("model", "Model Name") with
                {
                    Required = true,
                },
                F("res_id", "Record ID", FieldType.Integer),
                F("noupdate", "Non Updatable", FieldType.Boolean),
            ]
        );
        yield return Model(
            "ir.config_parameter",
            "System Parameter",
            "IrConfig_Parameter",
            admin,
            [F("key", "Key") with { Required = true }, F("value", "Value", FieldType.Text) with { Required = true }]
        );
        yield return Model(
            "ir.actions.server",
            "Server Action",
            "IrActionsServer",
            admin,
            [
                F("name", "Name") with
                {
                    Required = true,
                    IsTranslated = true,
                },
                Link("model_id", "Model", "ir.model") with
                {
                    Required = true,
                },
                F("state", "Type"),
                F("code", "Python Code", FieldType.Text),
                Many(groups, "Allowed Groups", "res.groups", ("ir_act_server_group_rel", "act_id", "gid")),
            ],
            ("state", "code")
        ) with
        {
            Table = "ir_act_server",
        };
    }

    private static string GroupsOf(int major) => major >= 19 ? "group_ids" : "groups_id";

    private static OdooField F(string name, string label, FieldType type = FieldType.Char) => new(name, label, type);

    private static OdooField Link(string name, string label, string relation) =>
        new(name, label, FieldType.Many2One) { Relation = relation };

    private static OdooField Many(string name, string label, string relation, (string, string, string) through) =>
        new(name, label, FieldType.Many2Many) { Relation = relation, Through = through };

    private static Dictionary<Operation, int[]> Rights(int[] read, int[] write, int[] create, int[] unlink) =>
        new()
        {
            [Operation.Read] = read,
            [Operation.Write] = write,
            [Operation.Create] = create,
            [Operation.Unlink] = unlink,
        };

    private static OdooModel Model(
        string name,
        string description,
        string className,
        Dictionary<Operation, int[]> rights,
        OdooField[] fields,
        params (string Field, object? Value)[] defaults
    ) =>
        new(name, description, className)
        {
            Fields = ((OdooField[])[.. Before, .. fields, .. Behind]).ToDictionary(f => f.Name),
            Rights = rights,
            Defaults = defaults.ToDictionary(d => d.Field, d => d.Value),
        };
}
