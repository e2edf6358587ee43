#!/bin/sh
# Print the folder of PostgreSQL's server programs where PostGIS is installed too; install Debian's where apt and root are at
# hand. Prints nothing when there is none: the tests then say so themselves (skip, or fail under CI=true).
find_it() {
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
        version=$(basename "$(dirname "$folder")")
        [ -x "$folder/initdb" ] && [ -e "/usr/share/postgresql/$version/extension/postgis.control" ] &&
            echo "$folder" && return 0
    done
    return 1
}
find_it && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    # The tests start a server of their own: no cluster of the system's is wanted.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    { apt-get update && apt-get install --yes --no-install-recommends postgresql postgresql-postgis; } >&2 ||
        echo "PostGIS could not be installed" >&2
fi
find_it || true
