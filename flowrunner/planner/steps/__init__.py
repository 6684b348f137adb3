"""The builders of a plan's nodes, one for each type of step."""
