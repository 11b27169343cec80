"""Tasks and the timetable of beat."""
