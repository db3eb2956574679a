# Sourced by the walkthroughs' run.sh: a server of its own on free ports, in a temporary folder that goes with it.
# Sets what the READMEs start from: THINGKEEP (the checkout), DATA, MQTT_PORT and HTTPS_PORT; HERE is the walkthrough's folder.
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
THINGKEEP=$(cd "$HERE/../.." && pwd)
WORK=$(mktemp -d)
DATA=$WORK/data
server=

clean_up() {
  status=$?
  trap - EXIT INT TERM
  if [ -n "$server" ] && kill "$server" 2>/dev/null; then wait "$server" || status=1; fi
  [ "$status" = 0 ] || { echo "--- the server's log:"; cat "$WORK/server.log"; } >&2
  rm -rf "$WORK"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# Nothing of this machine's AWS set-up may have a say.
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\|THINGKEEP_[A-Z0-9_]*\)=.*/\1/p'); do unset "$name"; done
export AWS_EC2_METADATA_DISABLED=true

cd "$WORK"
node=$THINGKEEP/node_modules/.bin/node
"$node" "$THINGKEEP/packages/server/src/main.ts" start --data-dir "$DATA" --api-port 0 --mqtt-port 0 --https-port 0 \
  >"$WORK/ready" 2>"$WORK/server.log" </dev/null &
server=$!
tries=0
until grep -q '^Thingkeep is ready' "$WORK/ready"; do
  kill -0 "$server"
  tries=$((tries + 1))
  [ "$tries" -lt 300 ]
  sleep 0.1
done
MQTT_PORT=$(sed 's/.* mqtt [^ ]*:\([0-9]*\) .*/\1/' "$WORK/ready")
HTTPS_PORT=$(sed 's/.* https [^ ]*:\([0-9]*\) endpoint .*/\1/' "$WORK/ready")
