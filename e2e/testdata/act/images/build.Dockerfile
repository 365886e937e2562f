# The build image of the Dockerfile at the top, where no registry can be asked:
# this machine's Go, the modules, and what of them is compiled already.
ARG BASE
FROM ${BASE}
USER root
ENV PATH=/usr/local/go/bin:/usr/bin:/bin GOPROXY=off GOFLAGS=-buildvcs=false GOTOOLCHAIN=local
COPY go /usr/local/go
COPY src /src
RUN cd /src && CGO_ENABLED=0 xargs go build -trimpath -ldflags "-s -w" <packages
