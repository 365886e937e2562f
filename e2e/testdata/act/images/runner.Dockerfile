# What jobs run in: the little that GitHub's own runners have and our workflows
# use. The rig mounts the dispatcher's program and docker's.
ARG BASE
FROM ${BASE}
RUN apt-get -qq update \
 && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends ca-certificates curl git >/dev/null \
 && rm -rf /var/lib/apt/lists/*
