using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Orm;
using Npgsql;

namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>Who calls: by API key, or by password where the protocol takes one.</summary>
internal static class Logins
{
    private const string ValidKey =
        "(k.scope IS NULL OR k.scope = 'rpc') AND (k.expiration_date IS NULL OR k.expiration_date > clock_timestamp() AT TIME ZONE 'UTC')";

    /// <summary>Null: there is no such key, or it has expired, or its user is archived.</summary>
    public static Task<int?> ByKeyAsync(NpgsqlDataSource source, string key, CancellationToken ct) =>
        FindAsync(
            source,
            $"SELECT u.id FROM res_users_apikeys k JOIN res_users u ON u.id = k.user_id WHERE k.key = $1 AND u.active AND {ValidKey}",
            ct,
            key
        );

    /// <param name="secret">A password, or a key in its place.</param>
    public static Task<int?> BySecretAsync(NpgsqlDataSource source, string login, string secret, CancellationToken ct) =>
        FindAsync(source, $"SELECT u.id FROM res_users u WHERE u.login = $1 AND {Secret}", ct, login, secret);

    public static async Task<bool> IsSecretOfAsync(NpgsqlDataSource source, long uid, string secret, CancellationToken ct) =>
        await FindAsync(source, $"SELECT u.id FROM res_users u WHERE u.id = $1 AND {Secret}", ct, uid, secret) is not null;

    /// <summary>With its groups: those that others imply are rows too, as Odoo up to 18 has them.</summary>
    public static async Task<OdooUser> UserAsync(NpgsqlConnection connection, int uid, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "SELECT tz, coalesce((SELECT array_agg(gid) FROM res_groups_users_rel WHERE uid = u.id), '{}') FROM res_users u WHERE id = $1",
            connection
        )
        {
            Parameters = { new NpgsqlParameter { Value = uid } },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            throw OdooError.AccessDenied();
        return new OdooUser(uid, reader.IsDBNull(0) ? null : reader.GetString(0), reader.GetFieldValue<int[]>(1).ToHashSet());
    }

    private const string Secret =
        $"u.active AND (u.password = $2 OR EXISTS (SELECT FROM res_users_apikeys k WHERE k.user_id = u.id AND k.key = $2 AND {ValidKey}))";

    private static async Task<int?> FindAsync(NpgsqlDataSource source, string sql, CancellationToken ct, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteScalarAsync(ct) as int?;
    }
}
