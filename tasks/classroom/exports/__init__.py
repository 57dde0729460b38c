"""What leaves the grade-book: e-mail addresses, grades and what the checks said; no secret, brief or attachment.

    results     CSV, one line for each check, in the course's own columns
    grades      CSV, one line for each student
    gradescope  results.json for each student, zipped
    archive     all of it with each student's report and screenshots, zipped

Each has `write(book, out)`, which writes bytes to a file that need not be seekable.
"""
