#!/usr/bin/env bash
# Does what the README tells a newcomer to do, with free ports and a data folder of its own: starts the server, pastes
# the two curls it prints, stops it as Ctrl-C does.
set -euo pipefail
cd "$(dirname "$0")/.."

data=$(mktemp -d)
out="$data/terminal.txt"
node bin/graphpost.js start --data "$data/mail" --port 0 --https-port 0 --smtp-port 0 >"$out" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$data"' EXIT

for _ in $(seq 1 200); do
  grep -q '^Stop with' "$out" && break
  sleep 0.1
done
sed -E 's/(Bearer )[^'"'"']+/\1.../' "$out"

mapfile -t commands < <(grep '^curl' "$out")
status=$(bash -c "${commands[0]} -s -o /dev/null -w '%{http_code}'")
[ "$status" = 202 ] || { echo "the printed curl answered $status"; exit 1; }
for _ in $(seq 1 50); do
  bash -c "${commands[1]}" | grep -q 'Hello from Graphpost' && found=yes && break
  sleep 0.1
done
[ "${found:-no}" = yes ] || { echo "the mail is not in the recipient's Inbox"; exit 1; }

token=$(node bin/graphpost.js token --data "$data/mail" --user adele@contoso.com --scope Mail.Read)
url=$(grep -o 'http://localhost:[0-9]*' "$out" | head -1)
curl -s "$url/v1.0/me/mailFolders/sentitems/messages?\$select=subject" -H "Authorization: Bearer $token" |
  grep -q 'Hello from Graphpost' || { echo "the mail is not in Sent Items"; exit 1; }

kill -INT "$server"
wait "$server" || { echo "Ctrl-C did not end it cleanly"; exit 1; }
echo "smoke: 202, Sent Items, Inbox, clean stop"
