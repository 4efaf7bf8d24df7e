using System.Reflection;
using System.Runtime.InteropServices;

namespace Cdc.Tests.Support.Kafka;

/// <summary>
/// Loads the build of librdkafka that Confluent.Kafka itself takes. NuGet's package has several for Linux, and the first needs
/// libsasl2.so.3, which Debian does not have; Confluent.Kafka then takes the next.
/// </summary>
internal static class Librdkafka
{
    private static readonly string[] Builds = ["librdkafka", "centos8-librdkafka", "alpine-librdkafka"];

    /// <summary>Once, before the first call.</summary>
    public static void Resolve() =>
        NativeLibrary.SetDllImportResolver(
            typeof(Librdkafka).Assembly,
            (name, assembly, search) => name == Builds[0] ? Load(assembly, search) : IntPtr.Zero
        );

    private static IntPtr Load(Assembly assembly, DllImportSearchPath? search)
    {
        foreach (var build in Builds)
            if (NativeLibrary.TryLoad(build, assembly, search, out var library))
                return library;
        return IntPtr.Zero;
    }
}
