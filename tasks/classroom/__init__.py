"""The instructor's side: submissions, briefs made for each student, sending them out, taking reports. Rows: `tasks/models/classroom.py`."""
