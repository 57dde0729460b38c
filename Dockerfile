# One image for everything: by default web and worker together (honcho), as Render or Hugging Face Spaces want it; compose.yaml starts them apart.
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 DATA_DIR=/data PORT=7860
WORKDIR /app

RUN apt-get update \
 && apt-get install -y --no-install-recommends chromium-headless-shell bubblewrap \
 && rm -rf /var/lib/apt/lists/*

COPY requirements.txt .
# The discovery documents of google-api-python-client are 110 MB that nothing here reads.
RUN pip install -r requirements.txt \
 && rm -rf /usr/local/lib/python3.11/site-packages/googleapiclient/discovery_cache/documents

COPY . .
RUN useradd --create-home --uid 1000 deployer && mkdir -p /data && chown deployer /data
USER deployer

EXPOSE 7860
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
# honcho gives every process a PORT of its own, so the address of the web process is settled before.
CMD ["sh", "-c", "python manage.py migrate --noinput && export PUBLIC_URL=\"$(python -c 'from deployer.settings import PUBLIC_URL; print(PUBLIC_URL)')\" && exec honcho start web worker"]
