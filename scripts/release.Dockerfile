# The container image of a release, from programs that are built already: the
# same as the Dockerfile at the root makes, for more than one platform.
FROM scratch
ARG TARGETARCH
LABEL org.opencontainers.image.source=https://github.com/spdk-community-ci/dispatcher \
      org.opencontainers.image.licenses=BSD-3-Clause
COPY ca-certificates.crt /etc/ssl/certs/
COPY --chmod=1777 tmp /tmp
COPY --chmod=0755 dispatcher-linux-${TARGETARCH} /dispatcher
ENTRYPOINT ["/dispatcher"]
