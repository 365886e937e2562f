# A base for the real recipes where no registry and no GitHub can be asked: this
# machine's certificate authorities, and the sources that SPDK's scripts clone.
ARG BASE
FROM ${BASE}
COPY ca /usr/local/share/ca-certificates/
COPY git /srv/git/
RUN printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >/etc/pip.conf \
 && printf '[url "file:///srv/git/"]\n\tinsteadOf = https://github.com/\n' >/etc/gitconfig
