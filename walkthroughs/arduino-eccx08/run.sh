#!/bin/sh
# Pastes README.md into a shell, line by line, beside a server of its own.
. "$(dirname "$0")/../serve.sh"
. "$THINGKEEP/walkthroughs/paste.sh"
paste_readme
