# One static program, no shell, no root. What it does is its argument: serve
# (web), work (background work) or migrate (schema).

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -tags netgo -o /out/pehchan ./server/cmd/pehchan
RUN install -d /root-fs/data && install -d -m 1777 /root-fs/tmp

FROM scratch
# Certificates for calls to the Graph API and to mail; time zones for tenants.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /zoneinfo.zip
COPY --from=build --chown=65532:65532 /root-fs/ /
COPY --from=build /out/pehchan /pehchan
ENV ZONEINFO=/zoneinfo.zip \
    PEHCHAN_DATA=/data \
    PEHCHAN_LISTEN=0.0.0.0:8080
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["/pehchan", "healthcheck"]
ENTRYPOINT ["/pehchan"]
CMD ["serve"]
