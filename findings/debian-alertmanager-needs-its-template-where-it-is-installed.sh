#!/usr/bin/env bash
# Debian 12's prometheus-alertmanager (0.25.0-1+b4), unpacked instead of installed: it ends at its start with exit code 1, whatever its
# configuration says, since it reads its default notification template from /usr/share/prometheus/alertmanager/default.tmpl and from nowhere
# else; upstream's own build has that template inside. A configuration with a single receiver that sends nothing, which amtool of the
# same package calls valid, is refused for it. So a test that unpacks the package beside the system (as it can with the package prometheus)
# has to install it.
# Exits 0 if all of this is so, 1 if it has changed, 2 if it cannot be tried here. Needs apt-get and dpkg-deb on Debian 12 (amd64).
set -euo pipefail
version=0.25.0-1+b4
[[ ! -e /usr/share/prometheus/alertmanager/default.tmpl ]] || { echo "the package is installed here, and its template with it"; exit 2; }
command -v dpkg-deb >/dev/null || { echo "no dpkg-deb here"; exit 2; }
work=$(mktemp -d); trap 'rm -rf -- "$work"' EXIT
chmod 777 "$work"
(cd "$work" && apt-get download -qq "prometheus-alertmanager=$version" >/dev/null 2>&1) || { echo "apt-get cannot fetch version $version"; exit 2; }
dpkg-deb -x "$work"/prometheus-alertmanager_*.deb "$work/root"
printf 'route: { receiver: quiet }\nreceivers: [ { name: quiet } ]\n' >"$work/alertmanager.yml"
checked=0; "$work/root/usr/bin/amtool" check-config "$work/alertmanager.yml" >"$work/check" 2>&1 || checked=$?
ended=0
timeout 20 "$work/root/usr/bin/prometheus-alertmanager" --config.file="$work/alertmanager.yml" --storage.path="$work/data" \
    --web.listen-address=127.0.0.1:0 --cluster.listen-address= >"$work/log" 2>&1 || ended=$?
why=$(grep -o 'failed to parse templates[^"]*' "$work/log" | head -1)
echo "amtool check-config: exit code $checked; prometheus-alertmanager: exit code $ended, $why"
[[ $checked -eq 0 && $ended -eq 1 && "$why" == *"/usr/share/prometheus/alertmanager/default.tmpl"* ]] || { echo "changed"; exit 1; }
