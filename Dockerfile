# The pipeline as an image: Meltano and the plugins, and nothing of anybody's settings. What is secret comes in when it
# runs, as environment variables or files. One container is one run:
#
#   docker build --build-arg VERSION=0.1.0 --tag stampli-infor:0.1.0 .
#   docker run --rm --env-file prod.env --volume stampli-infor:/var/lib/stampli-infor stampli-infor:0.1.0
FROM python:3.11-slim-bookworm AS build

# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends make \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/stampli-infor
COPY . .
# The version comes from git's tags, which stay outside.
ARG VERSION=0.0.0
ENV SETUPTOOLS_SCM_PRETEND_VERSION=${VERSION} UV_NO_CACHE=1
# Nothing is compiled in a run, which may write nothing here: our own packages are editable installs, too.
RUN make setup-plugins \
  && rm -rf .tools/uv \
  && python -m compileall -q tap-stampli-sftp transforms target-infor-cloudsuite


FROM python:3.11-slim-bookworm

# An init that passes on the signal of a stop to the plugins too, so that they end what they have in flight.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --user-group --home-dir /var/lib/stampli-infor --create-home stampli-infor

COPY --from=build /srv/stampli-infor /srv/stampli-infor
WORKDIR /srv/stampli-infor
# All that a run writes: Meltano's run folder and logs, and what must outlast it.
RUN mkdir -p .meltano/run .meltano/logs \
  && chown -R stampli-infor:stampli-infor .meltano/run .meltano/logs

ENV MELTANO_ENVIRONMENT=prod \
  MELTANO_PROJECT_READONLY=true \
  MELTANO_SEND_ANONYMOUS_USAGE_STATS=false \
  MELTANO_DATABASE_URI=sqlite:////var/lib/stampli-infor/meltano.db \
  TARGET_INFOR_CLOUDSUITE_LEDGER_URL=sqlite:////var/lib/stampli-infor/ledger.db \
  TARGET_INFOR_CLOUDSUITE_OUTPUT_DIR=/var/lib/stampli-infor/output \
  PYTHONDONTWRITEBYTECODE=1

USER 10001:10001
VOLUME /var/lib/stampli-infor
# A container that ends after its run has an exit code, and no health to ask for in between.
HEALTHCHECK NONE
ENTRYPOINT ["tini", "-g", "--", ".tools/meltano/bin/meltano"]
CMD ["run", "post-to-infor"]
