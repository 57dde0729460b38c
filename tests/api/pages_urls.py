"""The local host's routes alone, for the tests beside this file."""

from tasks.api import pages, repos

urlpatterns = [*pages.urlpatterns, *repos.urlpatterns]
