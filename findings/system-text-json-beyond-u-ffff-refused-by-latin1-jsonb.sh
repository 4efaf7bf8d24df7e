#!/usr/bin/env bash
# System.Text.Json (.NET 10) under JavaScriptEncoder.UnsafeRelaxedJsonEscaping, which lets letters of all languages pass, still writes a
# character beyond U+FFFF as two escapes (\uD834\uDD1E). PostgreSQL 15 takes such a pair into jsonb where the database is in UTF-8; where it
# is not, and lacks the character, it refuses the whole document with 22P05, though the document is pure ASCII. json (without b) takes it.
# So a program that stores documents as jsonb for people to read fails on an emoji in a LATIN1 database, on an escape it did not ask for.
# Exits 0 if all of this is so, 1 if it has changed, 2 if it cannot be tried here. Needs the .NET SDK 10 and PostgreSQL's server programs.
set -euo pipefail
bin=$(ls -d /usr/lib/postgresql/15/bin 2>/dev/null) || { echo "no PostgreSQL 15 here"; exit 2; }
work=$(mktemp -d); chmod 755 "$work"
as() { if [[ $(id -u) -eq 0 ]]; then runuser -u postgres -- "$@"; else "$@"; fi; }
trap 'as "$bin/pg_ctl" -D "$work/pg/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf -- "$work"' EXIT
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
mkdir "$work/pg"; [[ $(id -u) -ne 0 ]] || chown postgres "$work/pg"
as "$bin/initdb" -D "$work/pg/data" -U postgres -A trust -E UTF8 --locale=C >/dev/null
as "$bin/pg_ctl" -D "$work/pg/data" -w -l "$work/pg/log" -o "-c listen_addresses='' -k $work/pg" start >/dev/null
sql() { as psql -X -h "$work/pg" -U postgres -d "$1" -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -Atc "$2" 2>&1 || true; }
sql postgres "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0" >/dev/null
cat >"$work/try.csproj" <<'X'
<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>
X
cat >"$work/Program.cs" <<'X'
using System; using System.Text.Encodings.Web; using System.Text.Json;
var options = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
Console.WriteLine(JsonSerializer.Serialize("\u0416", options) == "\"\u0416\"" ? "as itself" : "escaped");
Console.WriteLine(JsonSerializer.Serialize("\U0001D11E", options));
X
dotnet build "$work/try.csproj" -o "$work/out" -v quiet -nodeReuse:false >"$work/log" 2>&1 || { tail -5 "$work/log"; exit 2; }
mapfile -t written < <(dotnet "$work/out/try.dll")
utf8=$(sql postgres "SELECT '${written[1]}'::jsonb IS NOT NULL")
latin=$(sql latin "SELECT '${written[1]}'::jsonb IS NOT NULL")
plain=$(sql latin "SELECT '${written[1]}'::json IS NOT NULL")
echo "a letter below U+10000: ${written[0]}; U+1D11E: ${written[1]}; jsonb in UTF8: $utf8; jsonb in LATIN1: $latin; json in LATIN1: $plain"
[[ "${written[0]}" == "as itself" && "${written[1]}" == '"\uD834\uDD1E"' && "$utf8" == t && "$latin" == *22P05* && "$plain" == t ]] || { echo "changed"; exit 1; }
