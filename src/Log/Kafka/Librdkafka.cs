using System.Reflection;
using System.Runtime.InteropServices;

namespace Cdc.Log.Kafka;

/// <summary>
/// Finds the native library under Confluent.Kafka: beside the program where <c>./dev</c> built it, else where NuGet's librdkafka.redist or
/// the system has it.
/// </summary>
internal static class Librdkafka
{
    private static readonly Lock Once = new();
    private static bool _isSet;

    /// <summary>Before the first client is made; again does no harm.</summary>
    public static void Use()
    {
        lock (Once)
        {
            if (_isSet) return;
            // Confluent.Kafka's own way to a path of one's choosing looks for libdl.so, which newer C libraries do not have.
            NativeLibrary.SetDllImportResolver(typeof(Confluent.Kafka.Library).Assembly, Resolve);
            _isSet = true;
        }
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        var beside = Path.Combine(AppContext.BaseDirectory, "librdkafka.so");
        return name == "librdkafka" && File.Exists(beside) ? NativeLibrary.Load(beside) : IntPtr.Zero;
    }
}
