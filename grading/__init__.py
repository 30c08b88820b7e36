"""How a course is run: making assignments, taking in submissions, running and scoring them, and what people see."""
