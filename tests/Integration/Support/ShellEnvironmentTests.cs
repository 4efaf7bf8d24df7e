using System.Diagnostics;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Support;

public sealed class ShellEnvironmentTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cdc shell").FullName;

    [Fact]
    public async Task A_shell_that_sources_it_has_the_settings_and_the_command()
    {
        var path = Path.Combine(_folder, "made", "demo.env");
        var variables = new Dictionary<string, string?>
        {
            ["CDC__Source__ConnectionString"] = "Host=h;Password='a b';$x `y`",
            ["CDC__Nothing"] = null,
        };
        using (ShellEnvironment.Write(path, variables, ["printf", "<%s>", "it's here"]))
        {
            using var shell = Process.Start(
                new ProcessStartInfo("/bin/sh", ["-c", ". \"$1\"; cdc status 'a b'; printenv CDC__Source__ConnectionString", "sh", path])
                {
                    RedirectStandardOutput = true,
                }
            )!;
            var output = await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Equal("<it's here><status><a b>Host=h;Password='a b';$x `y`\n", output);
        }
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void Another_one_that_took_its_place_is_left()
    {
        var path = Path.Combine(_folder, "demo.env");
        using (ShellEnvironment.Write(path, new Dictionary<string, string?>(), ["one"]))
            ShellEnvironment.Write(path, new Dictionary<string, string?>(), ["other"]);
        Assert.Contains("other", File.ReadAllText(path), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
