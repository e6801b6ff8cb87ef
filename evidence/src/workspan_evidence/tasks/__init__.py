"""The families as sets of tasks, in the grammar or in English, and how timetables are graded."""
