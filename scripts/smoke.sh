#!/usr/bin/env bash
# Does what the README tells a newcomer to do, with free ports and a data folder of its own: starts the server, pastes
# the two curls it prints, stops it with Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."

data=$(mktemp -d)
out="$data/terminal.txt"
npm start -- --data "$data/mail" --port 0 --https-port 0 --smtp-port 0 >"$out" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$data"' EXIT

for _ in $(seq 1 100); do
  grep -q 'curl' "$out" && break
  sleep 0.1
done
sleep 0.3
cat "$out"
