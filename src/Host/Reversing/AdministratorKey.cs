using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Odoo;

namespace Cdc.Host.Reversing;

/// <summary>Whose key an installation uses: an administrator's, once. It is kept nowhere.</summary>
internal sealed class AdministratorKey
{
    private readonly Option<string?> _login = new("--admin")
    {
        Description = "Login of an administrator of Odoo (over JSON-RPC); none: Odoo:Login.",
        HelpName = "LOGIN",
    };

    private readonly Option<string?> _file = new("--admin-key-file")
    {
        Description = "File with the administrator's key; none: Odoo:Key or Odoo:KeyFile is an administrator's.",
        HelpName = "FILE",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_login);
        command.Options.Add(_file);
    }

    /// <summary>Who will make the calls: as named, or who is configured, where that is somebody else than the administrator.</summary>
    /// <returns>Null: nobody is known.</returns>
    public string? UserOf(OdooOptions options, ParseResult parsed, string? named) =>
        named ?? (parsed.GetValue(_login) is { } login && options.Login.Length > 0 && options.Login != login ? options.Login : null);

    /// <exception cref="CdcException">Usage: a file that is not there; Configuration: no address.</exception>
    public async Task<OdooClient> ConnectAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.None).Odoo;
        if (parsed.GetValue(_file) is { } file)
            options = options with
            {
                Key = "",
                KeyFile = File.Exists(file)
                    ? file
                    : throw new CdcException(
                        FailureKind.Usage,
                        $"There is no file {file}.",
                        "Write the administrator's key into a file that only you can read, and remove it afterwards."
                    ),
            };
        if (parsed.GetValue(_login) is { } login)
            options = options with { Login = login };
        return await OdooClient.ConnectAsync(options, context.Time, context.Log, ct);
    }
}
