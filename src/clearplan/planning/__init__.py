"""Calendar, methods and blockers; the judge and the replay, which know no planner."""
