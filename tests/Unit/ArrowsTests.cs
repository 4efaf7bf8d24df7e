using System.Xml.Linq;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit;

/// <summary>Who may know whom. Reconcile and Api ask Capture and Apply for things through seams in Core.</summary>
public sealed class ArrowsTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Core"] = [],
        ["Workload"] = [],
        ["Expressions"] = ["Core"],
        ["Engine"] = ["Core"],
        ["Log"] = ["Core"],
        ["Capture"] = ["Core", "Log"],
        ["Apply"] = ["Core", "Expressions", "Engine", "Log"],
        ["Pipeline"] = ["Core", "Expressions", "Engine", "Log", "Capture", "Apply"],
        ["Odoo"] = ["Core"],
        ["Reverse"] = ["Core", "Engine", "Odoo"],
        ["Reconcile"] = ["Core", "Expressions", "Engine"],
        ["Cutover"] = ["Core", "Engine"],
        ["Api"] = ["Core", "Expressions", "Engine", "Cutover"],
        ["Host"] =
        [
            "Core",
            "Expressions",
            "Engine",
            "Log",
            "Capture",
            "Apply",
            "Pipeline",
            "Reconcile",
            "Cutover",
            "Api",
            "Odoo",
            "Reverse",
            "Workload",
        ],
    };

    public static TheoryData<string> Projects() =>
        new(
            Directory.GetFiles(SourceTree.PathOf("src"), "*.csproj", SearchOption.AllDirectories).Select(Name).Order(StringComparer.Ordinal)
        );

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_only_to_those_it_may_know(string project)
    {
        Assert.True(
            Allowed.TryGetValue(project, out var allowed),
            $"src/{project} is new: give it its arrows here, in docs/architecture.md and in CONTRIBUTING.md."
        );
        var file = SourceTree.PathOf(Path.Combine("src", project, $"Cdc.{project}.csproj"));
        var wrong = ReferencesOf(file).Except(allowed).ToList();
        Assert.True(wrong.Count == 0, $"src/{project} may refer to [{string.Join(", ", allowed)}], not to {string.Join(", ", wrong)}.");
    }

    [Fact]
    public void All_projects_are_looked_at() => Assert.True(Projects().Count >= 12, $"Only {Projects().Count} projects under src.");

    /// <summary>MSBuild passes references on, so what is reached through another project counts too.</summary>
    private static HashSet<string> ReferencesOf(string project)
    {
        var found = new HashSet<string>();
        foreach (
            var reference in XDocument
                .Load(project)
                .Descendants("ProjectReference")
                .Select(r => r.Attribute("Include")!.Value.Replace('\\', '/'))
        )
        {
            var file = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(project)!, reference));
            if (found.Add(Name(file)))
                found.UnionWith(ReferencesOf(file));
        }
        return found;
    }

    private static string Name(string project) => Path.GetFileName(Path.GetDirectoryName(project))!;
}
