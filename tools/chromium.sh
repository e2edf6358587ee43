#!/bin/sh
# Print the path of a Chromium for the browser tests; install Debian's where apt and root are at hand.
# Prints nothing when there is none: the tests then say so themselves (skip, or fail under CI=true).
find_it() {
    for name in "$CLEARPLAN_CHROMIUM" chromium chromium-browser google-chrome; do
        [ -n "$name" ] && command -v "$name" && return 0
    done
    return 1
}
find_it && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    { apt-get update && apt-get install --yes --no-install-recommends chromium fonts-dejavu-core; } >&2 ||
        echo "chromium could not be installed" >&2
fi
find_it || true
