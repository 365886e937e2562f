# What jobs run in: the little that GitHub's own runners have and our workflows
# use. The rig mounts the dispatcher's program and docker's.
ARG BASE
FROM ${BASE}
# In the environment of all processes, and in no env context, like what a runner's
# file .env sets (actions/runner#740); act's --env-file is in both.
ENV DISPATCHER_BINARY=/opt/dispatcher
RUN apt-get -qq update \
 && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends ca-certificates curl git >/dev/null \
 && rm -rf /var/lib/apt/lists/*
