# The container action. GitHub builds this file on each run while action.yml
# says `image: Dockerfile`; releases will name a prebuilt image instead.
#
# A vendor/ folder in the checkout is used if there is one, so the build needs
# no network; otherwise modules come through GOPROXY.
ARG BUILD_IMAGE=golang:1.26-bookworm
FROM ${BUILD_IMAGE} AS build
ARG GOPROXY
ARG VERSION=
WORKDIR /src
COPY . .
# The tag leaves out what a container cannot do: guests, images, lab hosts.
RUN CGO_ENABLED=0 go build -trimpath -tags action -o /out/dispatcher \
      -ldflags "-s -w -X github.com/spdk-community-ci/dispatcher/internal/app.linkedVersion=${VERSION}" . \
 && mkdir -p /out/tmp && chmod 1777 /out/tmp

FROM scratch
LABEL org.opencontainers.image.source=https://github.com/spdk-community-ci/dispatcher \
      org.opencontainers.image.licenses=BSD-3-Clause
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/tmp /tmp
COPY --from=build /out/dispatcher /dispatcher
# No USER and no WORKDIR: the runner mounts the workspace for root and sets the
# working folder itself.
ENTRYPOINT ["/dispatcher"]
