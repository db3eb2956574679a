# Sourced by the walkthroughs' run.sh, after serve.sh: pastes a README, or another page, into a shell.

# Prints the lines of a page's blocks. A block begins with "```sh", and may have a word behind it: `fails` when each of its
# commands is refused; else it belongs to one of two ways, and is left out unless the way is named here.
lines_of() {
  awk -v way="$2" '
    /^## / { print "\n# " substr($0, 4) }
    !inside && /^```sh( |$)/ { inside = 1; word = $2; failing = word == "fails"; pasted = word == "" || failing || word == way; commands = 0
      if (failing) print "failures=0; trap \x27failures=$((failures + 1))\x27 ERR"
      next }
    inside && /^```$/ { inside = 0
      if (failing) { print "trap fail ERR"; print "[ $failures = " commands " ]" }
      next }
    inside && pasted { print; if (!/\\$/) commands++ }' "$1"
}

# Pastes the lines into an interactive shell, line by line: a command that reads its input would take the next ones, as it would
# by hand. Fails at the first command that does not do what the page says.
paste_readme() { paste_page "$HERE/README.md" "${1:-}"; }
paste_page() {
  lines_of "$1" "${2:-}" > pasted
  {
    echo 'fail() { echo "failed: $BASH_COMMAND" >&2; exit 1; }; trap fail ERR; set -v'
    cat pasted
    echo 'exit 0'
  } | PS1='' PS2='' THINGKEEP=$THINGKEEP DATA=$DATA MQTT_PORT=$MQTT_PORT HTTPS_PORT=$HTTPS_PORT bash --norc --noprofile --noediting -i 2>&1
}
