# What jobs run in: the little that GitHub's own runners have and our workflows
# use, and their account: uid 1001, with sudo and no password. The rig mounts the
# dispatcher's program and docker's.
ARG BASE
FROM ${BASE}
# In the environment of all processes, and in no env context, like what a runner's
# file .env sets (actions/runner#740); act's --env-file is in both.
ENV DISPATCHER_BINARY=/opt/dispatcher
RUN apt-get -qq update \
 && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends ca-certificates curl git sudo >/dev/null \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1001 runner \
 && echo 'runner ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/runner
USER runner
