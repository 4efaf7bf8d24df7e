#!/usr/bin/env bash
# librdkafka.redist 2.16.0 (under Confluent.Kafka 2.16.0), linux-x64: its main build needs libsasl2.so.3, the soname of Red Hat's family.
# Debian's package libsasl2-2 brings libsasl2.so.2 under that name only. Confluent.Kafka then loads the next build in the package,
# centos8-librdkafka.so, and says nothing; that one is built without GSSAPI, so a client with sasl.mechanism=GSSAPI (Kerberos) is refused with
# words that blame the build, on a machine where the package holds a build that has it. With a link named libsasl2.so.3 to Debian's library
# the main build is loaded, and GSSAPI is there.
# Exits 0 if all of this is so, 1 if it has changed, 2 if it cannot be tried here. Needs the .NET SDK 10 on Debian (x64) with libsasl2-2.
set -euo pipefail
sasl=$(ldconfig -p | sed -n 's/.*libsasl2\.so\.2 .*x86-64.*=> //p' | head -1)
[[ -n "$sasl" ]] || { echo "no libsasl2.so.2 here (Debian's libsasl2-2)"; exit 2; }
if ldconfig -p | grep -q 'libsasl2\.so\.3'; then echo "this machine has libsasl2.so.3"; exit 2; fi
work=$(mktemp -d); trap 'rm -rf -- "$work"' EXIT
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
cat >"$work/try.csproj" <<'X'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="Confluent.Kafka" Version="2.16.0" /><PackageReference Include="librdkafka.redist" Version="2.16.0" /></ItemGroup>
</Project>
X
cat >"$work/Program.cs" <<'X'
using Confluent.Kafka;
var config = new ProducerConfig { BootstrapServers = "127.0.0.1:9", SecurityProtocol = SecurityProtocol.SaslPlaintext, SaslMechanism = SaslMechanism.Gssapi,
    SaslKerberosServiceName = "kafka", SaslKerberosPrincipal = "cdc@EXAMPLE", SaslKerberosKinitCmd = "true" };
string gssapi;
try { using var _ = new ProducerBuilder<Null, string>(config).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build(); gssapi = "accepted"; }
catch (InvalidOperationException refused) { gssapi = "refused: " + refused.Message; }
var loaded = File.ReadLines("/proc/self/maps").Select(l => l.Split('/').Last()).First(n => n.Contains("rdkafka"));
Console.WriteLine($"{loaded} | librdkafka {Library.VersionString} | GSSAPI {gssapi}");
X
dotnet build "$work/try.csproj" -o "$work/out" -v quiet -nodeReuse:false >"$work/log" 2>&1 || { tail -5 "$work/log"; exit 2; }
plain=$(dotnet "$work/out/try.dll")
mkdir "$work/lib"; ln -s "$sasl" "$work/lib/libsasl2.so.3"
linked=$(LD_LIBRARY_PATH="$work/lib" dotnet "$work/out/try.dll")
echo "as installed:            $plain"
echo "with libsasl2.so.3 link: $linked"
[[ "$plain" == centos8-librdkafka.so*"GSSAPI refused"* && "$linked" == librdkafka.so*"GSSAPI accepted"* ]] || { echo "changed"; exit 1; }
