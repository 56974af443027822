# One image for the three actions. It builds with BuildKit and with the classic builder, which act uses: no
# RUN --mount, no COPY --chmod, no automatic ARGs.
FROM golang:1.26.8 AS build
ENV CGO_ENABLED=0
WORKDIR /src

# The libraries compile in a layer of their own, which a change of our code leaves alone.
COPY go.mod go.sum ./
RUN go build -trimpath \
    github.com/aws/aws-sdk-go-v2/config \
    github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager \
    github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk \
    github.com/caarlos0/env/v10 \
    github.com/compose-spec/compose-go/v2/loader \
    github.com/docker/docker/client \
    github.com/go-git/go-git/v5/storage/filesystem \
    github.com/google/go-containerregistry/pkg/v1/remote \
    github.com/moby/buildkit/client \
    github.com/moby/buildkit/session/auth/authprovider \
    github.com/moby/buildkit/util/progress/progressui \
    github.com/sethvargo/go-githubactions

COPY internal internal
COPY actions actions
COPY cmd/travois cmd/travois
RUN go build -trimpath -ldflags='-s -w' -o /out/ ./cmd/travois && \
    for action in test test-post build-push build-push-post eb-deploy; do ln -s travois /out/$action; done

# No USER: GitHub runs container actions as root, since the runner's files belong to another user than any that
# an image could name. No ENTRYPOINT: each action.yml names its own.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/ /
