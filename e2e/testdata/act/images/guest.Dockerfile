# A host of a lab that runs guests.
ARG BASE
FROM ${BASE}
USER root
RUN apt-get -qq update \
 && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends qemu-system-x86 qemu-utils >/dev/null \
 && rm -rf /var/lib/apt/lists/*
USER service
