# The container action, where action.yml says `image: Dockerfile`: GitHub's runner
# then builds it for each job. The commit of a release names a prebuilt image.
#
# A vendor/ folder in the checkout is used if there is one, so the build needs
# no network; otherwise modules come through GOPROXY.
ARG BUILD_IMAGE=golang:1.26-bookworm
FROM ${BUILD_IMAGE} AS build
ARG GOPROXY
ARG VERSION=built-here
WORKDIR /src
COPY . .
# The tag leaves out what a container cannot do: guests, images, lab hosts.
RUN echo "This commit of the dispatcher is no release: it is built for this job." \
 && CGO_ENABLED=0 go build -trimpath -tags action -o /out/dispatcher \
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
