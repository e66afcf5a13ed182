# Two stages: Debian with compilers builds the program, Debian with only its libraries runs it.
#
#   docker run -p 8080:8080 -e SLUICE_AUTH_OPEN=true sluice
#
# Beyond loopback the server requires a credential (auth: in /etc/sluice/sluice.yaml), or for a trial
# SLUICE_AUTH_OPEN=true.

FROM debian:trixie-slim AS build
WORKDIR /src
COPY tests/setup.sh tests/
RUN apt-get update \
 && apt-get install -y --no-install-recommends make \
 && tests/setup.sh build
COPY . .
RUN make -j"$(nproc)" all && strip build/release/sluice \
 && conf/deploy/sbom.sh build/release/sluice >build/sbom.cdx.json

FROM debian:trixie-slim
ARG VERSION=""
LABEL org.opencontainers.image.title="Sluice" \
      org.opencontainers.image.description="Validates, stores and delivers events from Amazon EventBridge" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libcurl4t64 libgnutls30t64 libidn2-0 libjson-c5 \
      libmicrohttpd12t64 libpcre2-8-0 librdkafka1 libsqlite3-0 libssl3t64 libunistring5 libyaml-0-2 libzstd1 zlib1g \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && install -d -o 65532 -g 65532 /var/lib/sluice \
 && install -d -o 65532 -g 65532 -m 0700 /var/lib/sluice/var \
 && ln -s /var/lib/sluice/conf /etc/sluice
COPY conf /var/lib/sluice/conf
COPY --from=build /src/build/release/sluice /usr/local/bin/sluice
COPY --from=build /src/build/sbom.cdx.json /usr/local/share/sluice/sbom.cdx.json

# Relative paths of the configuration start in its folder: /etc/sluice leads to conf/ here, and ../var is the store.
WORKDIR /var/lib/sluice
USER 65532:65532
ENV SLUICE_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=2s \
    CMD ["/usr/local/bin/sluice", "health", "-c", "/etc/sluice/sluice.yaml"]
ENTRYPOINT ["/usr/local/bin/sluice"]
CMD ["serve", "-c", "/etc/sluice/sluice.yaml"]
