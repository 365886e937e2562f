# A host of a lab: the runner is a service whose account has no sudo, and may keep
# the state of the host.
ARG BASE
FROM ${BASE}
USER root
RUN rm /etc/sudoers.d/runner \
 && useradd --create-home --system --uid 998 service \
 && install --directory --owner service /var/lib/dispatcher
USER service
