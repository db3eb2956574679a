#!/bin/sh
# Pastes a page of docs/ into a shell, line by line, beside a server of its own: page.sh FILE. `thingkeep` is an installed command.
page=$(realpath "$1")
walkthroughs=$(cd "$(dirname "$0")/../../walkthroughs" && pwd)
. "$walkthroughs/serve.sh"
. "$walkthroughs/paste.sh"
mkdir bin
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$node" "$THINGKEEP/packages/server/src/main.ts" > bin/thingkeep
chmod +x bin/thingkeep
PATH=$WORK/bin:$PATH
paste_page "$page"
