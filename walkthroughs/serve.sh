# Sourced by the walkthroughs' run.sh: a server of its own on free ports, in a temporary folder that goes with it.
# Sets what the READMEs start from: THINGKEEP (the checkout), DATA, MQTT_PORT and HTTPS_PORT.
set -eu

THINGKEEP=$(cd "$(dirname "$0")/../.." && pwd)
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
# Version 2 of the aws command takes payloads as they are only when told so; version 1 does not read this line.
printf '[default]\ncli_binary_format = raw-in-base64-out\n' > "$WORK/aws-config"
export AWS_CONFIG_FILE="$WORK/aws-config" AWS_EC2_METADATA_DISABLED=true AWS_PAGER=

# An aws command from before AWS_ENDPOINT_URL (1.29, 2.13) is told the endpoint by flag.
case $(aws --version 2>&1) in
  aws-cli/1.1[0-9].* | aws-cli/1.2[0-8].* | aws-cli/2.[0-9].* | aws-cli/2.1[0-2].*)
    aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; } ;;
esac

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

# A command that must fail: `set -e` does not look at what follows a `!`.
must_fail() {
  if "$@"; then echo "this went well and should not have: $*" >&2; exit 1; fi
}

# Waits until each file has a line with the text.
await() {
  wanted=$1
  shift
  for file in "$@"; do
    tries=0
    until grep -q -- "$wanted" "$file"; do
      tries=$((tries + 1))
      if [ "$tries" -ge 150 ]; then echo "no line with '$wanted' in $file:" >&2; cat "$file" >&2; exit 1; fi
      sleep 0.1
    done
  done
}

# What is printed into a file is to be seen there at once.
mosquitto_sub() { command stdbuf -oL mosquitto_sub "$@"; }

# Says aloud what is run from here on.
say() { printf '\n== %s\n' "$*"; }
