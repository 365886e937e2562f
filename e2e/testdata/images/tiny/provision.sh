#!/bin/sh
# Installs what the project's own script asks for.
set -eu
sh /image/source/scripts/pkgdep.sh --all
