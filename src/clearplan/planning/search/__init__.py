"""The planner: from tables to a schedule with a proven bound."""
