"""ASGI entry point, for hosts that ask for one; WSGI is measured faster for this service."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deployer.settings")

application = get_asgi_application()
