#!/usr/bin/env bash
# Installs the real peers that the tests talk to, if they are missing. Leaves no daemon running.
set -euo pipefail
declare -A package_of=(
  [mosquitto]=mosquitto [influxd]=influxdb [mbpoll]=mbpoll [chromium]=chromium [socat]=socat [gcc]=gcc
)
missing=()
for command in "${!package_of[@]}"; do
  PATH="$PATH:/usr/sbin" command -v "$command" >/dev/null || missing+=("${package_of[$command]}")
done
[ -e /usr/include/modbus/modbus.h ] || missing+=(libmodbus-dev)
fc-list :lang=zh 2>/dev/null | grep -q . || missing+=(fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
echo "Missing for the tests: ${missing[*]}"
how="apt-get install --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "They cannot be installed from here (this needs root on Debian). As root: $how" >&2
  exit 1
fi
if [ "${CI:-}" != true ]; then
  read -r -p "Install them now with '$how'? [y/N] " answer || answer=n
  [[ $answer == [yY]* ]] || { echo "Not installed. The tests that need them will fail until you run: $how" >&2; exit 1; }
fi
export DEBIAN_FRONTEND=noninteractive
# a package's own daemon must not start: tests run their own on free ports
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
