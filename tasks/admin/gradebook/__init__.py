"""The grade-book's pages: one module per page, each with the context that its template is given; `tasks.admin.gradebooks` leads to them."""
