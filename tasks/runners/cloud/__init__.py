"""What `cloud_run.py` is made of.

In the service: `course` (one run from order to report), `order`, `verdict`, `clearing`, and the calls: `api`, `jobs`, `bucket`. In the container,
where they are sent as one zip: `inside`, `letters`, `walls`.
"""
