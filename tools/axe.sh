#!/bin/sh
# Print the path of axe-core's script for the accessibility tests; fetched from npm once, into a folder that git ignores.
# Prints nothing when it can't be had: the tests then say so themselves (skip, or fail under CI=true).
version=4.14.1
folder="$(cd "$(dirname "$0")/.." && pwd)/test-output/axe-$version"
script="$folder/package/axe.min.js"
if [ ! -f "$script" ] && command -v npm >/dev/null 2>&1; then
    mkdir -p "$folder" && ( cd "$folder" && npm pack --silent "axe-core@$version" && tar -xzf "axe-core-$version.tgz" ) >&2 ||
        echo "axe-core could not be fetched" >&2
fi
[ ! -f "$script" ] || echo "$script"
